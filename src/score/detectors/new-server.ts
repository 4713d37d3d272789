/**
 * D18 new.server: an inside host answers on a port on which it never answered before. Context for other findings; alone it is nothing.
 *
 * In:  when a host was first seen, and when a service of it first answered. Not: an alert: the cap keeps it below any limit.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import { num } from '../number.ts'
import type { Detector, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'

const OPTIONS = {
  known_min_s: {
    kind: 'number',
    default: 3600,
    min: 60,
    max: 604_800,
    unit: 's',
    comment: 'How long the host must have been known as a server of something else: before that everything is new.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  new_service: {
    lr: 0.5,
    group: 'novelty',
    basis: 'expert',
    label: 'answers on a new port',
    claim: '{x0} answered {x1} on port {m0}; it has been known as a server for {m1} and never answered there',
    alt: 'a service that somebody installed',
    next: 'Find out which process listens on that port, and since when.',
  },
} as const

export const NEW_SERVER = {
  kind: 'new.server',
  code: 'D18',
  title: 'New service on an inside host',
  techniques: { fromInside: ['T1571'], fromOutside: ['T1571'], manyVictims: [] },
  inputs: 'first answer of each inside service, first sight of its host',
  windowUs: 3600e6,
  entryTest: 'the first answer of a service comes known_min_s or more after the first answer of its host',
  options: OPTIONS,
  priorLog10: -2,
  cap: { limit: 0.1, why: 'a new service alone is no sign of anything' },
  severityBase: 0,
  isBackgroundFromOutside: false,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect({ judged, context }: Look, options: Options): Finding | null {
  if (!judged.isServerInternal || judged.outcome !== 'answered' || judged.isContinuation) return null
  const ageUs = context.services.newServiceOf(judged)
  if (ageUs === null || ageUs < options.known_min_s * 1e6) return null
  return {
    actor: judged.addr[SERVER],
    victim: judged.addr[CLIENT],
    side: { isActorInternal: true, direction: judged.direction },
    keyPart: String(judged.port[SERVER]),
    flowsInWindow: 1,
    firstUs: judged.startUs,
    victims: () => [judged.addr[CLIENT]],
    telling: 0,
    assess: () => {
      const sample = { n: 1, fromUs: judged.startUs, toUs: judged.lastUs, flowIds: [judged.flowId] }
      const measured = [num(judged.port[SERVER], 'port'), num(ageUs, 'us')]
      const names = [judged.addr[SERVER], judged.addr[CLIENT]]
      return assessment({
        evidence: [draft('D18.new_service', WEIGHTS.new_service, { measured, names, sample })],
        servicePort: judged.port[SERVER],
        scaleRatio: 0,
      })
    },
  }
}
