/**
 * D7 amp.reflector: an inside server answers outside hosts with far more than they ask: it is misused against them.
 *
 * In:  payload each way between an outside client and an inside service known to amplify, last hour.
 * Not: inside clients; services that are meant to send much (web, mail, files).
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import type { Transfers } from '../../context/transfers.ts'
import { UDP } from '../../flow/flow.ts'
import { num } from '../number.ts'
import { AMPLIFIER_PORTS } from '../ports.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'

const OPTIONS = {
  answer_ratio_min: { kind: 'number', default: 10, min: 2, max: 10_000, unit: 'ratio', comment: 'Payload answered over payload asked.' },
  answer_bytes_min: {
    kind: 'number',
    default: 1e6,
    min: 1e4,
    max: 1e12,
    unit: 'B',
    comment: 'Payload answered to one outside client within an hour.',
  },
  lasting_min_s: {
    kind: 'number',
    default: 60,
    min: 1,
    max: 3600,
    unit: 's',
    comment: 'Over at least this time, or ten times the payload.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  amplifies: {
    lr: 1.7,
    group: 'pattern',
    basis: 'expert',
    label: 'answers outweigh questions',
    claim: '{x0} answered {x1} on port {m0} with {m1} for {m2} asked, over {m3}',
    alt: 'a large zone or directory that a partner fetches',
    next: 'Close the service to the outside, or limit its answer rate.',
  },
} as const

export const AMP_REFLECTOR = {
  kind: 'amp.reflector',
  code: 'D7R',
  title: 'Own server misused as a reflector',
  techniques: { fromInside: ['T1498.002'], fromOutside: ['T1498.002'], manyVictims: [] },
  inputs: 'payload each way between an outside client and an inside amplifier service',
  windowUs: 3600e6,
  entryTest: 'answered ≥ answer_bytes_min at answer_ratio_min over lasting_min_s',
  options: OPTIONS,
  priorLog10: -1,
  cap: { limit: 0.95, why: 'the address that asks may be forged or not; headers do not show it' },
  severityBase: 2,
  isBackgroundFromOutside: false,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  const { transfers } = observed
  if (judged.proto !== UDP || transfers === null || judged.direction !== 'in') return null
  if (!AMPLIFIER_PORTS.has(judged.port[SERVER])) return null
  const [asked, answered] = transfers.sums()
  if (asked === 0 || answered < options.answer_bytes_min || answered < options.answer_ratio_min * asked) return null
  const isLasting = transfers.lastUs - transfers.firstUs >= options.lasting_min_s * 1e6
  if (!isLasting && answered < 10 * options.answer_bytes_min) return null
  return {
    actor: judged.addr[SERVER],
    victim: judged.addr[CLIENT],
    side: { isActorInternal: true, direction: 'out' },
    keyPart: String(judged.port[SERVER]),
    flowsInWindow: transfers.rows,
    firstUs: transfers.firstUs,
    victims: () => [judged.addr[CLIENT]],
    telling: 0,
    assess: () => assess(look, transfers, options),
  }
}

function assess({ judged }: Look, transfers: Transfers, options: Options): Assessment {
  const [asked, answered] = transfers.sums()
  const sample = { n: transfers.rows, fromUs: transfers.firstUs, toUs: transfers.lastUs, flowIds: [judged.flowId] }
  const measured = [num(judged.port[SERVER], 'port'), num(answered, 'B'), num(asked, 'B'), num(transfers.lastUs - transfers.firstUs, 'us')]
  const evidence: Draft[] = [
    draft('D7R.amplifies', WEIGHTS.amplifies, { measured, names: [judged.addr[SERVER], judged.addr[CLIENT]], sample }),
  ]
  return assessment({ evidence, servicePort: judged.port[SERVER], scaleRatio: answered / options.answer_bytes_min / 10 })
}
