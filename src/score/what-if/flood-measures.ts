/**
 * What the tests for floods, reflections and slow attacks measure (D5, D6, D7, D13), each as it is and as it might have been.
 *
 * In:  looks. Out: measures. See measure.ts. A flood that brings less in its busiest second brings less in each: all scales together.
 */
import type { DestinationWindow } from '../../context/destination-windows.ts'
import type { Transfers } from '../../context/transfers.ts'
import type { DestinationCell } from '../../flow/destination-counters.ts'
import { ICMP, ICMPV6, TCP, UDP } from '../../flow/flow.ts'
import type { Look } from '../detectors/detector.ts'
import type { Measure } from './measure.ts'
import { lookWith, overlay } from './overlay.ts'

const ADDRESS_REQUEST_PORT = 67

/** What might have been is not what was said: the window remembers who was named. */
const SAYS_NOTHING = { noteSaid: () => undefined } as const

/** All that arrives, `factor` times; who sends it stays. */
function scaled(window: DestinationWindow, factor: number): DestinationWindow {
  return overlay(window, {
    packets: window.packets * factor,
    bytes: window.bytes * factor,
    rowsInTenSeconds: (timeUs, cell) => window.rowsInTenSeconds(timeUs, cell) * factor,
    burst: () => {
      const { packets, spanUs } = window.burst()
      return { packets: packets * factor, spanUs }
    },
    ...SAYS_NOTHING,
    inSecond: (timeUs, cell) => window.inSecond(timeUs, cell) * factor,
    inTenSeconds: (timeUs, cell) => window.inTenSeconds(timeUs, cell) * factor,
    peak: (timeUs, cell, atLeast) => {
      const { most, seconds } = window.peak(timeUs, cell, atLeast / factor)
      return { most: most * factor, seconds }
    },
  })
}

function busiest(
  what: string,
  cell: DestinationCell,
  protos: readonly number[],
  atOf: (look: Look) => number,
): Omit<Measure<unknown>, 'bound' | 'most' | 'least'> {
  const read = (look: Look): number | null => {
    const { destination } = look.observed
    const isOfProtocol = protos.includes(look.judged.proto)
    return destination === null || !isOfProtocol ? null : Math.round(destination.peak(atOf(look), cell, 0).most)
  }
  return {
    what,
    unit: 'count',
    side: 'at least',
    read,
    change: (look, value) => {
      const { destination } = look.observed
      const now = read(look)
      return destination === null || !now ? look : lookWith(look, { destination: scaled(destination, value / now) })
    },
  }
}

const atStart = ({ judged }: Look): number => judged.startUs
const atLast = ({ judged }: Look): number => judged.lastUs

export const HALF_OPEN_RATE: Measure<{ half_open_per_s_min: number; sources_min: number; few_half_open_per_s_min: number }> = {
  ...busiest('connections left half open in the busiest second', 'halfOpen', [TCP], atStart),
  bound: ({ observed }, options) =>
    (observed.destination?.sources.count() ?? 0) >= options.sources_min ? options.few_half_open_per_s_min : options.half_open_per_s_min,
}

export const STRAY_RATE: Measure<{ stray_per_s_min: number }> = {
  ...busiest('segments of no connection in the busiest second', 'stray', [TCP], atStart),
  bound: (_look, options) => options.stray_per_s_min,
}

export const COMPLETED_CONNECTIONS: Measure<{ completed_share_max: number }> = {
  what: 'connections completed within ten seconds',
  unit: 'count',
  side: 'at most',
  read: (look) => look.observed.destination?.inTenSeconds(atStart(look), 'completed') ?? null,
  bound: (look, { completed_share_max: share }) =>
    ((look.observed.destination?.inTenSeconds(atStart(look), 'halfOpen') ?? 0) * share) / Math.max(0.01, 1 - share),
  change: (look, value) => withSum(look, 'completed', value),
}

function withSum(look: Look, changed: DestinationCell, value: number): Look {
  const { destination } = look.observed
  if (destination === null) return look
  const inTenSeconds: DestinationWindow['inTenSeconds'] = (timeUs, cell) =>
    cell === changed ? value : destination.inTenSeconds(timeUs, cell)
  return lookWith(look, { destination: overlay(destination, { inTenSeconds, ...SAYS_NOTHING }) })
}

function packetRate(protos: readonly number[]): Measure<{ packets_per_s_min: number; address_requests_per_s_min: number }> {
  return {
    ...busiest('packets in the busiest second', 'packets', protos, atLast),
    bound: ({ judged }, options) =>
      judged.port[1] === ADDRESS_REQUEST_PORT ? options.address_requests_per_s_min : options.packets_per_s_min,
  }
}

function replies(protos: readonly number[]): Measure<{ replies_share_max: number }> {
  const inTenSeconds = (look: Look, cell: DestinationCell): number => look.observed.destination?.inTenSeconds(atLast(look), cell) ?? 0
  return {
    what: 'packets sent back within ten seconds',
    unit: 'count',
    side: 'at most',
    read: (look) =>
      look.observed.destination === null || !protos.includes(look.judged.proto) ? null : Math.round(inTenSeconds(look, 'replies')),
    bound: (look, options) => inTenSeconds(look, 'packets') * options.replies_share_max,
    most: (look) => inTenSeconds(look, 'packets'),
    change: (look, value) => withSum(look, 'replies', value),
  }
}

export const UDP_RATE = packetRate([UDP])
export const UDP_REPLIES = replies([UDP])
export const ICMP_RATE = packetRate([ICMP, ICMPV6])
export const ICMP_REPLIES = replies([ICMP, ICMPV6])

export const WEB_CONNECTION_RATE: Measure<{ connections_per_s_min: number }> = {
  ...busiest('completed connections in the busiest second', 'completed', [TCP], atStart),
  bound: (_look, options) => options.connections_per_s_min,
}

export const WEB_CLIENTS: Measure<{ per_client_min: number }> = {
  what: 'clients that shared the connections',
  unit: 'count',
  side: 'at most',
  read: ({ observed }) => observed.destination?.sources.count() ?? null,
  bound: (look, options) => (look.observed.destination?.inTenSeconds(atStart(look), 'completed') ?? 0) / options.per_client_min,
  change: (look, value) => {
    const { destination } = look.observed
    if (destination === null) return look
    return lookWith(look, {
      destination: overlay(destination, { sources: overlay(destination.sources, { count: () => value }), ...SAYS_NOTHING }),
    })
  },
}

export const UNASKED_SENDERS: Measure<{ reflectors_min: number }> = {
  what: 'servers that answered unasked',
  unit: 'count',
  side: 'at least',
  read: ({ observed }) => observed.reflection?.senders.count() ?? null,
  bound: (_look, options) => options.reflectors_min,
  change: (look, value) => {
    const { reflection } = look.observed
    if (reflection === null) return look
    const factor = value / Math.max(1, reflection.senders.count())
    const senders = overlay(reflection.senders, { count: () => value })
    return lookWith(look, {
      reflection: overlay(reflection, {
        senders,
        packets: () => Math.round(reflection.packets() * factor),
        bytes: () => reflection.bytes() * factor,
      }),
    })
  },
}

function withTransfers(look: Look, change: (sums: [number, number]) => [number, number]): Look {
  const { transfers } = look.observed
  if (transfers === null) return look
  const sums: Transfers['sums'] = () => change(transfers.sums())
  return lookWith(look, { transfers: overlay(transfers, { sums }) })
}

export const REFLECTED_BYTES: Measure<{ answer_bytes_min: number }> = {
  what: 'payload answered within an hour',
  unit: 'B',
  side: 'at least',
  read: ({ observed }) => observed.transfers?.sums()[1] ?? null,
  bound: (_look, options) => options.answer_bytes_min,
  change: (look, value) => withTransfers(look, ([asked]) => [asked, value]),
}

export const REFLECTOR_ASKED: Measure<{ answer_ratio_min: number }> = {
  what: 'payload asked within an hour',
  unit: 'B',
  side: 'at most',
  read: ({ observed }) => observed.transfers?.sums()[0] ?? null,
  bound: ({ observed }, options) => (observed.transfers?.sums()[1] ?? 0) / options.answer_ratio_min,
  change: (look, value) => withTransfers(look, ([, answered]) => [value, answered]),
}

export const SENT_BYTES: Measure<{ upload_bytes_min: number }> = {
  what: 'payload sent within an hour',
  unit: 'B',
  side: 'at least',
  read: ({ observed }) => observed.transfers?.sums()[0] ?? null,
  bound: (_look, options) => options.upload_bytes_min,
  change: (look, value) => withTransfers(look, ([, received]) => [value, received]),
}

export const RECEIVED_BYTES: Measure<{ push_ratio_min: number }> = {
  what: 'payload received within an hour',
  unit: 'B',
  side: 'at most',
  read: ({ observed }) => observed.transfers?.sums()[1] ?? null,
  bound: ({ observed }, { push_ratio_min: ratio }) => ((observed.transfers?.sums()[0] ?? 0) * (1 - ratio)) / (1 + ratio),
  most: ({ observed }) => 2 * (observed.transfers?.sums()[0] ?? 0),
  change: (look, value) => withTransfers(look, ([sent]) => [sent, value]),
}

export const HELD_OPEN: Measure<{ connections_min: number; lasting_min_s: number }> = {
  what: 'slow connections open at one time',
  unit: 'count',
  side: 'at least',
  read: ({ observed }, options) => observed.slow?.openTogether(options.lasting_min_s * 1e6).length ?? null,
  bound: (_look, options) => options.connections_min,
  change: (look, value) => {
    const { slow } = look.observed
    if (slow === null) return look
    return lookWith(look, { slow: overlay(slow, { openTogether: (durationMinUs) => slow.openTogether(durationMinUs).slice(0, value) }) })
  },
}
