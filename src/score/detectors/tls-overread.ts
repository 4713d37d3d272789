/**
 * D16 tls.overread: many short TLS sessions fetch whole records for next to nothing. A note that packets should be looked at.
 *
 * In:  the newest sessions of a client with a TLS service. Not: proof: record lengths (Zeek's heartbleed test) need payload.
 * CVE-2014-0160 returns up to 65,535 octets a request, in records of 16,384.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import { num } from '../number.ts'
import { medianOf } from '../regularity.ts'
import type { Detector, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'

const OPTIONS = {
  sessions_min: {
    kind: 'integer',
    default: 5,
    min: 2,
    max: 24,
    unit: 'sessions',
    comment: 'Such sessions of one client with one service.',
  },
  request_bytes_max: { kind: 'number', default: 1000, min: 100, max: 10_000, unit: 'B', comment: 'What the client sent in each, at most.' },
  answer_ratio_min: { kind: 'number', default: 50, min: 5, max: 1000, unit: 'ratio', comment: 'Answer over request.' },
  answer_bytes_min: {
    kind: 'number',
    default: 16_384,
    min: 1000,
    max: 65_535,
    unit: 'B',
    comment: 'The answer, at least: one full record.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  overread: {
    lr: 0.7,
    group: 'volume',
    basis: 'expert',
    label: 'much for little',
    claim: '{m0} sessions of {x0} with {x1} fetched {m1} each for {m2} asked',
    alt: 'downloads of objects of about that size',
    next: 'Look at the TLS records in the packet slice: a heartbeat answer longer than its request decides it.',
  },
} as const

const TLS_PORTS: ReadonlySet<number> = new Set([443, 465, 563, 636, 853, 989, 990, 992, 993, 995, 8443])

export const TLS_OVERREAD = {
  kind: 'tls.overread',
  code: 'D16',
  title: 'TLS sessions that fetch much for little',
  techniques: { fromInside: ['T1190'], fromOutside: ['T1190'], manyVictims: [] },
  inputs: 'payload each way of the newest sessions with a TLS service from outside or inside',
  windowUs: 5 * 60e6,
  entryTest: 'sessions ≥ sessions_min with request ≤ request_bytes_max, answer ≥ answer_bytes_min and answer_ratio_min times the request',
  options: OPTIONS,
  priorLog10: -2.5,
  cap: { limit: 0.3, why: 'it needs packets to tell this from a download' },
  severityBase: 1,
  isBackgroundFromOutside: false,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  if (observed.attempts === null || !TLS_PORTS.has(judged.port[SERVER]) || !judged.isServerInternal) return null
  if (observed.attempts.keptCount < options.sessions_min) return null
  const such = observed.attempts.kept.filter(
    (call) =>
      call.clientBytes > 0 &&
      call.clientBytes <= options.request_bytes_max &&
      call.serverBytes >= Math.max(options.answer_bytes_min, options.answer_ratio_min * call.clientBytes),
  )
  if (such.length < options.sessions_min) return null
  return {
    actor: judged.addr[CLIENT],
    victim: judged.addr[SERVER],
    keyPart: String(judged.port[SERVER]),
    flowsInWindow: such.length,
    firstUs: such[0].atUs,
    victims: () => [judged.addr[SERVER]],
    telling: 0,
    assess: () => {
      const sample = {
        n: such.length,
        fromUs: such[0].atUs,
        toUs: such[such.length - 1].atUs,
        flowIds: such.slice(0, 10).map((call) => call.flowId),
      }
      const [asked, answered] = [such.map((call) => call.clientBytes), such.map((call) => call.serverBytes)].map(medianOf)
      const measured = [num(such.length, 'count'), num(answered, 'B'), num(asked, 'B')]
      return assessment({
        evidence: [draft('D16.overread', WEIGHTS.overread, { measured, names: [...judged.addr], sample })],
        servicePort: judged.port[SERVER],
        scaleRatio: 0,
        notEvaluated: [{ code: 'D16.records', why: 'lengths of TLS records: payload is not read' }],
      })
    },
  }
}
