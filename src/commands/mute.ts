/**
 * The subcommand `mute`: a rule made from an alert, shown at work on the alert log before it is relied upon; rules listed and removed.
 *
 * In:  its words; the alert log; the file of rules; the clock and the login name, which nothing else of mute rules reads.
 * Out: the file of rules, changed or (--dry-run) not; what the rule would have hidden, on standard output.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { basename, join } from 'node:path'
import type { Argv, Options } from 'yargs'
import { RunError, UsageError } from '../base/errors.ts'
import { printable } from '../base/printable.ts'
import type { Config } from '../config.ts'
import { nearestKey } from '../config-value.ts'
import { type LoggedAlert, type LoggedAlerts, readLoggedAlerts, subjectOf } from '../logged-alerts.ts'
import { ANY, readRules, ruleOfRecord } from '../mute-file.ts'
import { tooWide } from '../score/mute-width.ts'
import { type MuteRule, Mutes } from '../score/mutes.ts'
import { addRule, noSuchRule, type RuleRecord, removeRule } from './mute-edit.ts'

export const MUTE_OPTIONS = {
  for: { type: 'string', requiresArg: true, describe: 'How long, from now on: 12h, 30d, 8w' },
  reason: { type: 'string', requiresArg: true, describe: 'Why; a ticket number is best' },
  owner: { type: 'string', requiresArg: true, describe: 'Who answers for it; without it, your login name' },
  kind: { type: 'string', requiresArg: true, describe: "Kinds, comma-separated, in place of the alert's" },
  actor: { type: 'string', requiresArg: true, describe: "Addresses or networks, comma-separated, in place of the alert's actor" },
  victim: { type: 'string', requiresArg: true, describe: "Addresses or networks, comma-separated, in place of the alert's victims" },
  port: { type: 'string', requiresArg: true, describe: "Service ports, comma-separated, in place of the alert's" },
  'any-actor': { type: 'boolean', describe: 'Whoever does it' },
  'any-victim': { type: 'boolean', describe: 'Whomever it is done to' },
  'any-port': { type: 'boolean', describe: 'On whatever service' },
  force: { type: 'boolean', describe: 'Also a rule so wide that nobody would be told of such alerts any more' },
  'dry-run': { type: 'boolean', describe: 'Show the rule and what it would have hidden; write nothing' },
  list: { type: 'boolean', describe: 'List the rules' },
  remove: { type: 'string', requiresArg: true, describe: 'Remove the rule of this id' },
  alerts: { type: 'string', requiresArg: true, describe: 'The alert log (alerts.jsonl under output.folder)' },
  file: { type: 'string', requiresArg: true, describe: 'The file of rules (mutes.file)' },
} as const satisfies Record<string, Options>

type Arguments = { readonly [K in keyof typeof MUTE_OPTIONS]?: (typeof MUTE_OPTIONS)[K]['type'] extends 'boolean' ? boolean : string } & {
  readonly alert?: string
}

export interface MuteContext {
  print(text: string): Promise<void>
  env: { SUDO_USER?: string | undefined }
}

export function addMute(
  cli: Argv,
  options: Readonly<Record<string, Options>>,
  configOf: (argv: Record<string, unknown>) => Config,
  context: MuteContext,
): void {
  cli.command(
    'mute [alert]',
    'Keep alerts like this one from notifying, for a time and a reason',
    (y) =>
      y
        .positional('alert', { type: 'string', describe: "An alert's id, or its report" })
        .options(options)
        .example("$0 mute fs-20261120-c031826a9d --for 30d --reason 'Nessus, ticket 4711'", 'same kind, actor, victims and port')
        .example("$0 mute fs-20261120-c031826a9d --for 30d --reason 'Nessus' --any-victim --dry-run", 'what would that hide?')
        .example('$0 mute --list', 'who muted what until when')
        .example('$0 replay x.pcap --mutes mutes.yaml', 'the rules on a capture; run takes those of mutes.file')
        .epilogue('Muted alerts are still written to the alert log and counted; they notify nobody, get no report and are not forwarded.'),
    // yargs has checked them against the table; its types do not say so.
    async (argv) => {
      const lines = await mute(argv as Arguments, configOf(argv), context)
      await context.print(`${lines.map(printable).join('\n')}\n`)
    },
  )
}

async function mute(argv: Arguments, config: Config, { env }: MuteContext): Promise<string[]> {
  const path = argv.file ?? config.mutes.file
  const wanted = [argv.alert !== undefined, argv.list === true, argv.remove !== undefined].filter(Boolean).length
  if (wanted !== 1) throw new UsageError('mute needs the id of an alert, or --list, or --remove RULE')
  if (argv.list) return listLines(path, readRules(path, config.networks.internal, true))
  if (argv.remove !== undefined) return await remove(path, argv.remove, argv['dry-run'] === true, config)
  return await add(path, argv, config, env)
}

async function remove(path: string, id: string, isDry: boolean, config: Config): Promise<string[]> {
  const { internal } = config.networks
  const rules = readRules(path, internal, false)
  const rule = rules.find((one) => one.id === id)
  if (rule === undefined) throw new RunError(noSuchRule(path, id, rules))
  if (!isDry) await removeRule(path, internal, id)
  return [`rule ${id} ${isDry ? 'would be removed' : 'removed'} from ${path}`, ...ruleLines(rule), ...(isDry ? [] : [SIGHUP_HINT])]
}

const SIGHUP_HINT = 'a running sensor takes it up at SIGHUP'

async function add(path: string, argv: Arguments, config: Config, env: MuteContext['env']): Promise<string[]> {
  const { internal } = config.networks
  if (argv.for === undefined) throw new UsageError('mute needs --for: how long, such as 30d')
  if (argv.reason === undefined || argv.reason.trim() === '') throw new UsageError('mute needs --reason: why nobody wants to hear of it')
  const nowMs = Math.floor(Date.now() / 1000) * 1000
  const times = { created: isoSecond(nowMs), until: isoSecond(nowMs + durationMs(argv.for)) }
  const alertsPath = argv.alerts ?? join(config.output.folder, 'alerts.jsonl')
  // What is wrong with the file is said before anything else is worked out.
  const rules = readRules(path, internal, true)
  const log = await readLog(alertsPath, argv.alerts === undefined)
  const alert = alertOf(log, basename(argv.alert ?? '').replace(/\.md$/, ''), alertsPath, argv.alerts === undefined)
  const scope = scopeOf(argv, alert)
  const words = { owner: argv.owner ?? loginName(env), reason: argv.reason, ...times, alert: alert.id }
  const id = newId(JSON.stringify([scope, words]), rules)
  const { rule, record } = checkedRule({ id, ...scope, ...words })
  const why = tooWide(rule, internal)
  if (why !== null && argv.force !== true) throw new UsageError(`this rule is too wide: ${why}. Narrow it, or repeat with --force`)
  const written: RuleRecord = why === null ? record : { ...record, wide: true }
  if (argv['dry-run'] !== true) await addRule(path, internal, written)
  return [
    `rule ${id} ${argv['dry-run'] ? 'would be written' : 'written'} to ${path}`,
    ...ruleLines(rule),
    ...(why === null ? [] : [`  too wide, by --force: ${why}`]),
    ...(argv['dry-run'] ? [] : [SIGHUP_HINT]),
    ...olderRuleLines(rules, alert, nowMs / 1000),
    '',
    ...previewLines(rule, log, alertsPath),
  ]
}

const UNIT_MS = { h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const FOR_DAYS_MAX = 3650

function durationMs(text: string): number {
  const match = /^(\d{1,5})([hdw])$/.exec(text)
  const ms = match === null ? Number.NaN : Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]
  if (ms > 0 && ms <= FOR_DAYS_MAX * UNIT_MS.d) return ms
  throw new UsageError(
    `option --for: got '${printable(text)}'; allowed: hours, days or weeks up to ${FOR_DAYS_MAX} days, such as 12h, 30d, 8w`,
  )
}

function isoSecond(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

/** Who sits there, also behind sudo. */
function loginName(env: MuteContext['env']): string {
  try {
    return env.SUDO_USER ?? userInfo().username
  } catch {
    throw new UsageError('this login has no name: say who answers for the rule with --owner')
  }
}

const REPLAY_LOG = 'flowscribe-out/alerts.jsonl'

/** The log of the live sensor was meant by default: perhaps another was. */
function otherLogHint(isDefault: boolean): string {
  if (!isDefault) return ''
  return `; name the log that has the alert: --alerts ${existsSync(REPLAY_LOG) ? REPLAY_LOG : 'FILE'}`
}

async function readLog(path: string, isDefault: boolean): Promise<LoggedAlerts> {
  try {
    return await readLoggedAlerts(path)
  } catch (error) {
    throw error instanceof RunError ? new RunError(`${error.message}${otherLogHint(isDefault)}`) : error
  }
}

function alertOf({ alerts, linesNotRead }: LoggedAlerts, id: string, path: string, isDefault: boolean): LoggedAlert {
  const alert = alerts.find((one) => one.id === id)
  if (alert !== undefined) return alert
  // Of a long log the newest are what a person has just seen.
  const near = nearestKey(
    alerts.slice(-1000).map((one) => one.id),
    id,
  )
  const offer = near === null ? otherLogHint(isDefault) : `; did you mean '${near}'?`
  throw new RunError(printable(`${path}: no alert '${id}' among ${counted(alerts.length, 'alert')}${notReadText(linesNotRead)}${offer}`))
}

function notReadText(lines: number): string {
  return lines === 0 ? '' : ` (${counted(lines, 'line')} could not be read)`
}

interface Scope {
  kind: readonly string[]
  actor: readonly string[] | null
  victim: readonly string[] | null
  port: readonly number[] | null
}

/** As narrow as the alert, but for what the words widen. An alert names its first victims: with more of them, a rule is for any. */
function scopeOf(argv: Arguments, alert: LoggedAlert): Scope {
  for (const name of ['actor', 'victim', 'port'] as const) {
    if (argv[name] !== undefined && argv[`any-${name}`]) throw new UsageError(`--${name} and --any-${name} are both given: say one`)
  }
  const { addresses, count } = alert.victims
  return {
    kind: listed(argv.kind) ?? [alert.kind],
    actor: argv['any-actor'] ? null : (listed(argv.actor) ?? (alert.actor === 'many' ? null : [alert.actor])),
    victim: argv['any-victim'] ? null : (listed(argv.victim) ?? (addresses.length === 0 || count > addresses.length ? null : addresses)),
    port: argv['any-port'] ? null : (listed(argv.port)?.map(portNumber) ?? (alert.servicePort === null ? null : [alert.servicePort])),
  }
}

function listed(text: string | undefined): string[] | undefined {
  return text?.split(',').map((item) => item.trim())
}

function portNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN
}

const ID_LEN = 8

/** Of what the rule says, so that it tells nothing of itself; other text gives another. */
function newId(text: string, rules: readonly MuteRule[]): string {
  for (let tries = 0; ; tries++) {
    const id = `m-${createHash('sha256').update(`${tries} ${text}`).digest('hex').slice(0, ID_LEN)}`
    if (!rules.some((rule) => rule.id === id)) return id
  }
}

/** The rule as the file will give it; what the words of the command line made of it is held to the same table. */
function checkedRule(given: { id: string } & Scope & Record<string, unknown>): { rule: MuteRule; record: RuleRecord } {
  const one = <T>(list: readonly T[]): T | readonly T[] => (list.length === 1 ? list[0] : list)
  const record: RuleRecord = Object.fromEntries(
    Object.entries(given)
      .filter(([key, value]) => value !== null || key === 'actor' || key === 'victim')
      .map(([key, value]) => [key, value === null ? ANY : Array.isArray(value) ? one(value as readonly unknown[]) : value]),
  ) as RuleRecord
  const { rule, faults } = ruleOfRecord(record)
  if (rule === null) throw new UsageError(faults.map(({ keyPath, message }) => `${keyPath}: ${message}`).join('; '))
  return { rule, record }
}

function ruleLines(rule: MuteRule): string[] {
  const rows: (readonly [string, string])[] = [
    ['kind', rule.kinds.join(', ')],
    ['actor', rule.actors?.join(', ') ?? ANY],
    ['victim', rule.victims?.join(', ') ?? ANY],
    ['port', rule.ports?.join(', ') ?? ANY],
    ['owner', rule.owner],
    ['reason', rule.reason],
    ['until', rule.until],
  ]
  return rows.map(([name, text]) => `  ${name.padEnd(6)}  ${text}`)
}

function olderRuleLines(rules: readonly MuteRule[], alert: LoggedAlert, nowSec: number): string[] {
  const older = new Mutes(rules).ruleFor({ ...subjectOf(alert), atSec: nowSec })
  return older === null
    ? []
    : [`rule ${older.id} mutes it already, until ${older.until}; the first rule in the file is the one that counts`]
}

const NEWEST_TOLD = 10

/** What the rule would have hidden had it been there. */
function previewLines(rule: MuteRule, { alerts, linesNotRead }: LoggedAlerts, path: string): string[] {
  const mutes = new Mutes([{ ...rule, untilSec: Number.POSITIVE_INFINITY }])
  const hidden = alerts.filter((alert) => alert.mutedBy === '' && mutes.ruleFor(subjectOf(alert)) !== null)
  const unsure = hidden.filter(({ victims }) => rule.victims !== null && victims.count > victims.addresses.length).length
  const byKind = new Map<string, number>()
  for (const { kind } of hidden) byKind.set(kind, (byKind.get(kind) ?? 0) + 1)
  const kinds = [...byKind].sort((a, b) => b[1] - a[1]).map(([kind, count]) => `${kind} ${count}`)
  const already = alerts.filter(({ mutedBy }) => mutedBy !== '').length
  return [
    `in ${path} it would have hidden ${hidden.length} of ${counted(alerts.length, 'alert')}${kinds.length === 0 ? '' : `: ${kinds.join(', ')}`}`,
    ...hidden
      .slice(-NEWEST_TOLD)
      .reverse()
      .map((alert) => `  ${alertRow(alert)}`),
    ...(hidden.length > NEWEST_TOLD ? [`  and ${hidden.length - NEWEST_TOLD} older`] : []),
    ...(already > 0 ? [`muted there already: ${already}`] : []),
    ...(unsure > 0 ? [`of these ${unsure} had more victims than the log names: outside the rule's victims they would have been told`] : []),
    ...(linesNotRead > 0 ? [`${counted(linesNotRead, 'line')} of the log could not be read`] : []),
  ]
}

function alertRow({ id, kind, actor, victims, likelihood, severity, last }: LoggedAlert): string {
  const more = victims.count > 1 ? ` and ${victims.count - 1} more` : ''
  const time = `${last.slice(0, 10)} ${last.slice(11, 19)} UTC`
  return `${time}  ${kind}  ${actor} → ${victims.addresses[0] ?? 'nobody named'}${more}  ${Math.round(likelihood * 100)} % likely, ${severity}  ${id}`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function listLines(path: string, rules: readonly MuteRule[]): string[] {
  if (rules.length === 0) return [`no mute rules in ${path}`]
  const expired = new Set(new Mutes(rules).expiredAt(Date.now() / 1000))
  return [
    `${counted(rules.length, 'rule')} in ${path}`,
    ...rules.flatMap((rule) => ['', `rule ${rule.id}${expired.has(rule) ? ': expired, mutes nothing' : ''}`, ...ruleLines(rule)]),
  ]
}
