/**
 * D7 amp.victim: many servers answer a host that asked none of them.
 *
 * In:  one-way rows towards a host from one source port (TCP: SYN-ACKs and resets), whose senders it had sent nothing for a minute.
 * Not: answers to requests; a service's own requests (same port on both sides); what a one-sided mirror port makes of answers.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import type { Reflection } from '../../context/reflections.ts'
import { UDP } from '../../flow/flow.ts'
import { num } from '../number.ts'
import { isServicePort, VISIBLE_SHARE_MIN } from '../orientation.ts'
import { AMPLIFIER_PORTS } from '../ports.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'
import { arrivalsOf, ratePicture } from './flood-arrivals.ts'

const OPTIONS = {
  reflectors_min: {
    kind: 'integer',
    default: 10,
    min: 2,
    max: 100_000,
    unit: 'servers',
    comment: 'Servers of a service known to amplify that answer unasked, within ten to twenty seconds, with large answers.',
  },
  answer_bytes_min: {
    kind: 'number',
    default: 370,
    min: 1,
    max: 65_000,
    unit: 'B',
    comment: 'Mean payload of those large answers (a 400-octet packet).',
  },
  volume_bytes_min: {
    kind: 'number',
    default: 1e6,
    min: 1e4,
    max: 1e12,
    unit: 'B',
    comment: 'Payload that is enough, from three servers or more.',
  },
  many_reflectors_min: {
    kind: 'integer',
    default: 100,
    min: 10,
    max: 1_000_000,
    unit: 'servers',
    comment: 'So many answering unasked from one service port are enough, whatever the size of their answers.',
  },
  any_port_bytes_min: {
    kind: 'number',
    default: 170,
    min: 1,
    max: 65_000,
    unit: 'B',
    comment:
      'Mean payload from which many_reflectors_min holds for a source port that is no known service (peer-to-peer answers are smaller).',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  unsolicited: {
    lr: 1.7,
    group: 'pattern',
    basis: 'expert',
    label: 'answers nobody asked for',
    claim: '{m0} servers sent {x0} {m1} packets from port {m2} within {m3}, and it had asked none of them',
    alt: 'answers to questions whose packets the sensor did not see',
    next: 'Ask the uplink provider to filter this source port towards the victim; keep a packet sample for them.',
  },
  tcp_unsolicited: {
    lr: 1.7,
    group: 'pattern',
    basis: 'expert',
    label: 'answers nobody asked for',
    claim: '{m0} hosts answered {x0} with {m1} handshake packets or resets within {m2}, and it had asked none of them',
    alt: 'somebody forged this address in an attack on others',
    next: 'Check whether the victim suffers; if not, the address was only forged.',
  },
  many_reflectors: {
    lr: 0.5,
    group: 'scale',
    basis: 'expert',
    label: 'very many servers',
    claim: '{m0} different servers, where {m1} are enough',
    next: 'Compare their networks: reflectors lie all over the Internet.',
  },
  large_answers: {
    lr: 0.4,
    group: 'volume',
    basis: 'expert',
    label: 'large answers',
    claim: 'the answers carried {m0} in the mean, {m1} in all',
    next: 'Read the link load of that time.',
  },
} as const

const MANY = 50
const SENDERS_BY_VOLUME_MIN = 3

export const AMP_VICTIM = {
  kind: 'amp.victim',
  code: 'D7',
  title: 'Reflected flood',
  techniques: { fromInside: ['T1498.002'], fromOutside: ['T1498.002'], manyVictims: [] },
  inputs: 'one-way packets by receiver and source port; who asked whom',
  windowUs: 60e6,
  entryTest: 'unsolicited from reflectors_min amplifiers with large answers, or volume_bytes_min, or many_reflectors_min of any size',
  options: OPTIONS,
  priorLog10: -1,
  cap: { limit: 0.99, why: 'headers alone never make a flood certain' },
  severityBase: 2,
  isBackgroundFromOutside: false,
  readsOpenFlows: true,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed, context } = look
  const { reflection, receiver } = observed
  if (reflection === null || !isReflection(judged.proto, senderPort(look), reflection, options)) return null
  const share = context.visibility.share()
  if (share !== null && share < VISIBLE_SHARE_MIN) return null
  const victim = judged.addr[receiver]
  const isVictimInternal = receiver === CLIENT ? judged.isClientInternal : judged.isServerInternal
  const isSenderInternal = receiver === CLIENT ? judged.isServerInternal : judged.isClientInternal
  return {
    actor: 'many',
    victim,
    side: { isActorInternal: isSenderInternal && !isVictimInternal, direction: isVictimInternal ? 'in' : judged.direction },
    keyPart: `${victim} ${judged.proto} ${judged.proto === UDP ? senderPort(look) : 0}`,
    flowsInWindow: reflection.senders.count(),
    flowsSoFar: reflection.flows,
    firstUs: reflection.firstUs,
    victims: () => [victim],
    telling: 0,
    assess: () => assess(look, reflection, options),
  }
}

function senderPort({ judged, observed }: Look): number {
  return judged.port[observed.receiver === CLIENT ? SERVER : CLIENT]
}

function isReflection(proto: number, port: number, reflection: Reflection, options: Options): boolean {
  if (reflection.isLone) return false
  const senders = reflection.senders.count()
  if (proto !== UDP) return senders >= options.many_reflectors_min
  if (senders < Math.min(SENDERS_BY_VOLUME_MIN, options.reflectors_min, options.many_reflectors_min)) return false
  const mean = reflection.bytes() / Math.max(1, reflection.packets())
  if (AMPLIFIER_PORTS.has(port) && mean >= options.answer_bytes_min) {
    if (senders >= options.reflectors_min) return true
    if (senders >= SENDERS_BY_VOLUME_MIN && reflection.bytes() >= options.volume_bytes_min) return true
  }
  if (senders < options.many_reflectors_min) return false
  return AMPLIFIER_PORTS.has(port) || isServicePort(port) || mean >= options.any_port_bytes_min
}

function assess(look: Look, reflection: Reflection, options: Options): Assessment {
  const { judged, observed } = look
  const senders = reflection.senders.count()
  const packets = reflection.packets()
  const spanUs = reflection.lastUs - reflection.firstUs
  const mean = reflection.bytes() / Math.max(1, packets)
  const port = senderPort(look)
  const isUdp = judged.proto === UDP
  const arrivals = arrivalsOf(look)
  const sample = { n: packets, fromUs: reflection.firstUs, toUs: reflection.lastUs, flowIds: reflection.flowIds.slice(0, 10) }
  const counts = [num(senders, 'count'), num(packets, 'count')]
  const names = [judged.addr[observed.receiver]]
  const evidence: Draft[] = [
    isUdp
      ? draft('D7.unsolicited', WEIGHTS.unsolicited, { measured: [...counts, num(port, 'port'), num(spanUs, 'us')], names, sample })
      : draft('D7.tcp_unsolicited', WEIGHTS.tcp_unsolicited, { measured: [...counts, num(spanUs, 'us')], names, sample }),
  ]
  if (senders >= MANY) {
    const measured = [num(senders, 'count'), num(options.reflectors_min, 'count')]
    evidence.push(draft('D7.many_reflectors', WEIGHTS.many_reflectors, { measured, sample }))
  }
  if (mean >= options.answer_bytes_min) {
    evidence.push(draft('D7.large_answers', WEIGHTS.large_answers, { measured: [num(mean, 'B'), num(reflection.bytes(), 'B')], sample }))
  }
  return assessment({
    evidence,
    servicePort: isUdp ? port : null,
    scaleRatio: senders / options.many_reflectors_min / 10,
    // Only senders have a bound: the rate stands without one.
    pictures: arrivals === null ? [] : [ratePicture(arrivals, 'packets', 'packets', 0)],
  })
}
