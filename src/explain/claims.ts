/**
 * Evidence records in words: the claim with its measured values put in, weights, baselines.
 *
 * In:  an `Evidence`. Out: Markdown; values bold, names from the wire in code spans.
 * The invariant: a value is `Num.text` as it was rendered where it was measured, never a number written anew.
 */
import type { AlertEvent, Evidence } from '../score/evidence.ts'
import { factorText } from '../score/number.ts'
import { code, escapeText } from './markdown.ts'
import { capitalised, countOf } from './words.ts'

/** The bounds that fusion clips a weight to (SCORER.md section 5.1). */
const LR_MIN = -1.5
const LR_MAX = 2

/** The claim as a clause: 'failed on **214** distinct ports of one server within **61.3 s**'. */
export function claimText(evidence: Evidence): string {
  // Placeholders become private marks first, so that escaping the sentence leaves them alone and a name cannot hold one.
  return evidence.claim
    .split(/(\{[mx]\d+\})/)
    .map((part) => {
      const match = /^\{([mx])(\d+)\}$/.exec(part)
      if (match === null) return escapeText(part)
      const i = Number(match[2])
      if (match[1] === 'm') return i < evidence.measured.length ? `**${escapeText(evidence.measured[i].text)}**` : 'a value not kept'
      return i < evidence.names.length ? nameText(evidence.names[i]) : 'a name not kept'
    })
    .join('')
    .replace(ONE_OF_MANY, (_, before: string, thing: string) => `${before}${SINGULARS[thing]}`)
}

/** What takes the place of an actor's address where there is none that could be believed. */
function nameText(name: string): string {
  return name === 'many' ? 'many sources' : code(name)
}

/** A claim is one template for one thing and for many. */
const SINGULARS: Readonly<Record<string, string>> = {
  times: 'time',
  addresses: 'address',
  packets: 'packet',
  probes: 'probe',
  requests: 'request',
  servers: 'server',
  hosts: 'host',
  ports: 'port',
  sessions: 'session',
  connections: 'connection',
  attempts: 'attempt',
  replies: 'reply',
  flows: 'flow',
}
const ONE_OF_MANY = new RegExp(
  `(\\*\\*1\\*\\* (?:(?:inside|outside|different|distinct|forced|failed|short|other) )?)(${Object.keys(SINGULARS).join('|')})\\b`,
  'g',
)

export function claimSentence(evidence: Evidence): string {
  return ended(capitalised(claimText(evidence)))
}

/** With exactly one full stop at its end. */
export function ended(sentence: string): string {
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`
}

export function weightText(evidence: Evidence): string {
  return factorText(Math.min(LR_MAX, Math.max(LR_MIN, evidence.lr)))
}

/** The values of a claim, for a table's value column. */
export function valuesText(evidence: Evidence): string {
  return evidence.measured.map((num) => escapeText(num.text)).join('; ')
}

/** What is normal for this measurement, or plainly that nothing is known. */
export function baselineText(evidence: Evidence): string {
  const { baseline } = evidence
  if (baseline === undefined || baseline.scope === 'none') return 'no baseline'
  const median = escapeText(baseline.median.text)
  const p95 = escapeText(baseline.p95.text)
  return `${baseline.scope}: median ${median}, nineteen in twenty below ${p95} (${countOf(baseline.n, 'value')})`
}

const BASES: Readonly<Record<Evidence['basis'], string>> = {
  test: 'statistical test',
  measured: 'measured on labelled traffic',
  expert: "expert's estimate",
}

export function basisText(evidence: Evidence): string {
  return BASES[evidence.basis]
}

/** Strongest first; equals keep their order. */
export function byWeight(evidence: readonly Evidence[]): Evidence[] {
  return [...evidence].sort((a, b) => Math.abs(b.lr) - Math.abs(a.lr))
}

/** The strongest measurement against malice; null when every benign explanation that was looked at fails. */
export function strongestBenign(alert: AlertEvent): Evidence | null {
  return byWeight(alert.benign).find((evidence) => evidence.lr < 0) ?? null
}

/** A harmless reading that the strongest evidence with one cannot exclude. */
export function openAlternative(alert: AlertEvent): { evidence: Evidence; alt: string } | null {
  for (const evidence of byWeight(alert.evidence)) if (evidence.alt !== undefined) return { evidence, alt: evidence.alt }
  return null
}
