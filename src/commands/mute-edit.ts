/**
 * One rule more, or one less, in the file of mute rules.
 *
 * In:  the file's path; a rule, or the id of one. Out: the file, replaced as a whole; a ConfigError when what stands there is faulty.
 * Not: what may stand in a rule: mute-file.ts reads what was made before it replaces anything.
 * The invariant: what a person wrote survives: comments and order stay, and a change made meanwhile is never overwritten.
 */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Document, isNode, YAMLSeq } from 'yaml'
import { RunError } from '../base/errors.ts'
import { printable } from '../base/printable.ts'
import { nearestKey } from '../config-value.ts'
import { isNothing, type MuteFile, parseRules, readText } from '../mute-file.ts'
import type { MuteRule } from '../score/mutes.ts'

const HEADER = ` Alerts that match a rule here are written and counted as ever, but wake nobody.
 Edited by hand or by flowscribe mute; a running sensor reads it again at SIGHUP.`

/** A rule as it stands in the file, in the order of FIELDS; what is any where any is the default is left out. */
export type RuleRecord = { id: string } & Record<string, unknown>

/** Adds a rule at the end. @throws ConfigError, RunError */
export function addRule(path: string, internal: readonly string[], record: RuleRecord): Promise<void> {
  return edit(path, internal, true, ({ document }) => listIn(document).add(document.createNode(record)))
}

/** @throws ConfigError, RunError also when there is no such rule */
export function removeRule(path: string, internal: readonly string[], id: string): Promise<void> {
  return edit(path, internal, false, ({ document, rules }) => {
    const index = rules.findIndex((rule) => rule.id === id)
    if (index === -1) throw new RunError(noSuchRule(path, id, rules))
    listIn(document).delete(index)
  })
}

export function noSuchRule(path: string, id: string, rules: readonly MuteRule[]): string {
  const ids = rules.map((rule) => rule.id)
  const near = nearestKey(ids, id)
  const offer = near === null ? (ids.length === 0 ? 'there is none' : `rules: ${ids.slice(0, 10).join(', ')}`) : `did you mean '${near}'?`
  return printable(`${path}: no rule '${id}'; ${offer}`)
}

/** The list of rules, made where there is none. */
function listIn(document: Document): YAMLSeq {
  const isNew = isNothing(document.contents)
  if (isNew) {
    document.contents = document.createNode({})
    // A file with nothing in it but comments keeps them.
    document.commentBefore ??= document.comment ?? HEADER
    document.comment = null
  }
  const list = document.get('mutes')
  if (list instanceof YAMLSeq) {
    // In [ … ] a rule would be one endless line.
    list.flow = false
    return list
  }
  const made = new YAMLSeq()
  const nothing = document.get('mutes', true)
  if (isNode(nothing)) made.commentBefore = nothing.commentBefore ?? nothing.comment ?? null
  document.set('mutes', made)
  return made
}

const TRIES_MAX = 20
const TRY_AGAIN_MS = 100
const STALE_MS = 10_000

/**
 * Reads, changes and replaces the file as one step. The new text's own file is the lock that keeps two commands apart; an editor knows no
 * lock, so what was read is compared with the file at the last moment, and the change is made anew on what stands there then.
 */
async function edit(path: string, internal: readonly string[], mayBeAbsent: boolean, change: (file: MuteFile) => void): Promise<void> {
  const target = realPath(path)
  const draft = join(dirname(target), `.${basename(target)}.new`)
  mkdirSync(dirname(target), { recursive: true })
  const fd = await openDraft(draft)
  let isInPlace = false
  try {
    for (let tries = 0; !isInPlace; tries++) {
      if (tries >= TRIES_MAX) throw new RunError(`${printable(path)}: changes faster than it can be edited; try again`)
      const before = readText(target, mayBeAbsent)
      const file = parseRules(before ?? '', path, internal)
      change(file)
      const text = file.document.toString({ lineWidth: 0 })
      // What was made must be good: a rule that does not load would keep the sensor from starting.
      parseRules(text, path, internal)
      ftruncateSync(fd)
      writeSync(fd, text, 0)
      keepOwner(fd, target)
      fsyncSync(fd)
      if (readText(target, mayBeAbsent) !== before) continue
      renameSync(draft, target)
      isInPlace = true
    }
  } finally {
    closeSync(fd)
    if (!isInPlace) unlinkSync(draft)
  }
}

/** A link stays a link: what it points to is replaced. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

async function openDraft(draft: string): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    try {
      return openSync(draft, 'wx', 0o644)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (isStale(draft)) unlinkSync(draft)
    else await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS))
  }
  throw new RunError(`${printable(draft)} is there: another flowscribe mute is writing, or one was killed: then remove that file`)
}

function isStale(draft: string): boolean {
  try {
    return Date.now() - statSync(draft).mtimeMs > STALE_MS
  } catch {
    return false
  }
}

/** Edited by root, the file stays readable for the sensor. */
function keepOwner(fd: number, target: string): void {
  try {
    const { uid, gid, mode } = statSync(target)
    fchmodSync(fd, mode & 0o777)
    fchownSync(fd, uid, gid)
  } catch {
    // A new file, or one of somebody else's: it is ours then.
  }
}
