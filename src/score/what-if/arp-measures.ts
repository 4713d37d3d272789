/**
 * What the tests on ARP measure (D4 sweep.arp, D19 mitm.arp), each as it is and as it might have been.
 *
 * In:  looks at the link layer. Out: measures. See measure.ts.
 * Not: that another card claims the address, or that two hosts are told of each other: those are no quantities.
 */
import type { Claim, ClaimedAddress } from '../../context/arp-claims.ts'
import type { Station } from '../../context/arp-station.ts'
import { DistinctWindow } from '../../context/distinct-window.ts'
import type { ArpLook } from '../detectors/detector.ts'
import type { Measure } from './measure.ts'
import { overlay } from './overlay.ts'
import { thinned } from './scan-measures.ts'

type ArpMeasure<Options> = Measure<Options, ArpLook>

const NOBODY = new DistinctWindow<string>(1, 1)

function withStation(look: ArpLook, changed: Partial<Station>): ArpLook {
  return { ...look, station: overlay(look.station, changed) }
}

export const ASKED_FOR: ArpMeasure<{ targets_min: number }> = {
  what: 'addresses asked for',
  unit: 'count',
  side: 'at least',
  read: ({ station }) => station.asked?.count() ?? null,
  bound: (_look, options) => options.targets_min,
  // At the same pace, and answered by as large a share.
  change: (look, value) => {
    const { asked, answered } = look.station
    if (asked === null) return look
    const share = value / Math.max(1, asked.count())
    return withStation(look, {
      asked: overlay(thinned(asked, value), { spanUs: () => asked.spanUs() * share }),
      answered: answered === null ? null : thinned(answered, Math.round(answered.count() * share)),
    })
  },
}

export const ASKED_AND_ANSWERED: ArpMeasure<{ answered_share_max: number }> = {
  what: 'of the addresses that answered',
  unit: 'count',
  side: 'at most',
  read: ({ station }) => (station.asked === null ? null : (station.answered?.count() ?? 0)),
  bound: ({ station }, options) => (station.asked?.count() ?? 0) * options.answered_share_max,
  most: ({ station }) => station.asked?.count() ?? 0,
  change: (look, value) => withStation(look, { answered: overlay(look.station.answered ?? NOBODY, { count: () => value }) }),
}

/** Of the claims that are forced on others; 0 where there is none. */
function mostOf(station: Station, count: (claim: Claim) => number): number {
  return Math.max(
    0,
    ...[...station.forced].map((claimed) => claimed.claimOf(station.mac)).map((claim) => (claim === null ? 0 : count(claim))),
  )
}

/** The card's own claims changed; what other cards said stays. At a message: a packet that was diverted is judged at some of them only. */
function withClaims(look: ArpLook, change: (claim: Claim) => Claim): ArpLook {
  const { station } = look
  const forced = [...station.forced].map((claimed): ClaimedAddress => {
    const claim = claimed.claimOf(station.mac)
    if (claim === null) return claimed
    const changed = change(claim)
    return overlay(claimed, { claimOf: (mac) => (mac === station.mac ? changed : claimed.claimOf(mac)) })
  })
  return atMessage(withStation(look, { forced: new Set(forced) }))
}

function atMessage(look: ArpLook): ArpLook {
  return look.message === null ? { ...look, message: { station: look.station, how: 'unasked', target: '' } } : look
}

export const TOLD_UNASKED: ArpMeasure<{ unasked_min: number }> = {
  what: 'unasked replies for the address that it claims most',
  unit: 'count',
  side: 'at least',
  read: ({ station }) => (station.forced.size === 0 ? null : mostOf(station, ({ counts }) => counts.unasked)),
  bound: (_look, options) => options.unasked_min,
  least: () => 0,
  change: (look, value) =>
    withClaims(look, (claim) => {
      const unasked = Math.min(claim.counts.unasked, value)
      // Each time that it talked over the owner was one of these, or an announcement.
      const overrides = Math.min(claim.overrides, unasked + claim.counts.announcement)
      return { ...claim, counts: { ...claim.counts, unasked }, overrides, told: unasked === 0 ? new Set() : claim.told }
    }),
}

export const TALKED_OVER: ArpMeasure<{ overrides_min: number }> = {
  what: 'times that it talked over another card',
  unit: 'count',
  side: 'at least',
  read: ({ station }) => (station.forced.size === 0 ? null : mostOf(station, ({ overrides }) => overrides)),
  bound: (_look, options) => options.overrides_min,
  least: () => 0,
  change: (look, value) => withClaims(look, (claim) => ({ ...claim, overrides: Math.min(claim.overrides, value) })),
}

export const DIVERTED: ArpMeasure<{ diverted_min: number }> = {
  what: 'packets diverted over it, of those looked at',
  unit: 'count',
  side: 'at least',
  read: ({ station }) => (station.forced.size === 0 ? null : station.divertedCount),
  bound: (_look, options) => options.diverted_min,
  least: () => 0,
  change: (look, value) => atMessage(withStation(look, { divertedCount: value })),
}
