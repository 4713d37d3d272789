/**
 * D17 icmp.tunnel: two hosts exchange echoes that carry data.
 *
 * In:  echo requests and replies between two hosts, last five to ten minutes: number, payload, variation.
 * Not: pings of one size however large (path tests send those), floods (D6), what the echoes hold.
 *
 * ping sends 56 octets, Windows 32, and always the same number; a reply repeats its request.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import type { Datagrams } from '../../context/datagrams.ts'
import { ICMP, ICMPV6 } from '../../flow/flow.ts'
import { num } from '../number.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'

const OPTIONS = {
  echoes_min: {
    kind: 'integer',
    default: 60,
    min: 10,
    max: 100_000,
    unit: 'packets',
    comment: 'Echoes of both sides within five to ten minutes.',
  },
  payload_bytes_min: {
    kind: 'number',
    default: 100,
    min: 57,
    max: 65_000,
    unit: 'B',
    comment: 'Their mean payload; ping sends 56, Windows 32.',
  },
  variation_min: {
    kind: 'number',
    default: 0.1,
    min: 0,
    max: 5,
    unit: 'ratio',
    comment: 'Standard deviation over mean of the payload: pings, however large, are all alike.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  large_echoes: {
    lr: 1.5,
    group: 'pattern',
    basis: 'expert',
    label: 'echoes carry data',
    claim: '{m0} echoes between {x0} and {x1} carried {m1} in the mean',
    alt: 'a test of the path with large packets',
    next: 'Look at the echoes in the packet slice: readable or ever-changing content is data.',
  },
  varied: {
    lr: 0.9,
    group: 'volume',
    basis: 'expert',
    label: 'sizes vary',
    claim: 'their sizes vary by {m0}; pings are all alike',
    next: 'Check for a program on either host that opens raw sockets.',
  },
  unlike_replies: {
    lr: 0.5,
    group: 'target',
    basis: 'expert',
    label: 'replies are not echoes',
    claim: '{m0} requests carried {m1} and {m2} replies carried {m3}: a reply should repeat its request',
    next: 'Compare a request with its reply.',
  },
  persistence: {
    lr: 0.3,
    group: 'scale',
    basis: 'expert',
    label: 'goes on',
    claim: 'it went on for {m0}',
    next: 'Check when it began.',
  },
} as const

const PERSISTENCE_US = 5 * 60e6
const UNLIKE_SHARE = 0.02
/** Echoes in rows whose replies repeat their requests, of all: a tunnel has such rows while it is idle. */
const REPEATED_SHARE_MIN = 0.9

export const ICMP_TUNNEL = {
  kind: 'icmp.tunnel',
  code: 'D17',
  title: 'Data carried in echoes',
  techniques: { fromInside: ['T1095', 'T1572'], fromOutside: ['T1095'], manyVictims: [] },
  inputs: 'echo requests and replies by pair of hosts',
  windowUs: 5 * 60e6,
  entryTest: 'echoes ≥ echoes_min both ways, mean payload ≥ payload_bytes_min, variation ≥ variation_min',
  options: OPTIONS,
  priorLog10: -2,
  cap: { limit: 0.95, why: 'what the echoes hold was not read' },
  severityBase: 2,
  isBackgroundFromOutside: false,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  const { datagrams } = observed
  if ((judged.proto !== ICMP && judged.proto !== ICMPV6) || datagrams === null) return null
  const asked = datagrams.side(CLIENT)
  const replied = datagrams.side(SERVER)
  if (asked.packets + replied.packets < options.echoes_min || replied.packets === 0) return null
  const mean = (asked.bytes + replied.bytes) / (asked.packets + replied.packets)
  if (mean < options.payload_bytes_min || Math.max(asked.variation ?? 0, replied.variation ?? 0) < options.variation_min) return null
  const isSwapped = judged.addr[CLIENT] !== datagrams.client
  const victim = judged.addr[isSwapped ? CLIENT : SERVER]
  return {
    actor: datagrams.client,
    victim,
    side: { isActorInternal: isSwapped ? judged.isServerInternal : judged.isClientInternal, direction: judged.direction },
    keyPart: victim,
    flowsInWindow: datagrams.rows(),
    firstUs: datagrams.firstUs,
    victims: () => [victim],
    telling: 0,
    assess: () => assess(look, datagrams, mean, options),
  }
}

function assess({ judged }: Look, datagrams: Datagrams, mean: number, options: Options): Assessment {
  const asked = datagrams.side(CLIENT)
  const replied = datagrams.side(SERVER)
  const echoes = asked.packets + replied.packets
  const sample = { n: echoes, fromUs: datagrams.firstUs, toUs: datagrams.lastUs, flowIds: datagrams.flowIds.slice(0, 10) }
  const names = [datagrams.client, judged.addr[judged.addr[CLIENT] === datagrams.client ? SERVER : CLIENT]]
  const variation = Math.max(asked.variation ?? 0, replied.variation ?? 0)
  const evidence: Draft[] = [
    draft('D17.large_echoes', WEIGHTS.large_echoes, { measured: [num(echoes, 'count'), num(mean, 'B')], names, sample }),
    draft('D17.varied', WEIGHTS.varied, { measured: [num(variation * 100, 'percent')], sample }),
  ]
  const areRepeated = datagrams.repeatedPackets() >= REPEATED_SHARE_MIN * echoes
  const unlike = Math.abs(asked.bytes - replied.bytes) / Math.max(asked.bytes, replied.bytes)
  if (!areRepeated && unlike > UNLIKE_SHARE) {
    const measured = [num(asked.packets, 'count'), num(asked.bytes, 'B'), num(replied.packets, 'count'), num(replied.bytes, 'B')]
    evidence.push(draft('D17.unlike_replies', WEIGHTS.unlike_replies, { measured, sample }))
  }
  if (sample.toUs - sample.fromUs >= PERSISTENCE_US) {
    evidence.push(draft('D17.persistence', WEIGHTS.persistence, { measured: [num(sample.toUs - sample.fromUs, 'us')], sample }))
  }
  const facts = { echoes: { requests: asked.packets, replies: replied.packets, areRepeated } }
  return assessment({ evidence, servicePort: null, scaleRatio: echoes / options.echoes_min / 10, facts })
}
