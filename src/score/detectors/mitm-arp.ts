/**
 * D19 mitm.arp: one card takes the address of another, by telling hosts so that had not asked.
 *
 * In:  claims by address and card, whose packets each card hands on, last ten minutes.
 * Not: one address at two cards alone. It moves with a laptop, a lease, a spare router: those announce it to all (RFC 5227), answer
 *      when asked, and the card before falls silent. Not a claim by a virtual router's card, which is made to move.
 *
 * Three ways in, each more than a move: hosts are told unasked again and again; the claim is forced anew each time the owner speaks; or
 * the packets of those who were told then come over the claimant.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import type { Claim, ClaimedAddress } from '../../context/arp-claims.ts'
import { CLAIM_US } from '../../context/arp-claims.ts'
import type { Station } from '../../context/arp-station.ts'
import type { ArpTable } from '../../context/arp-table.ts'
import type { PictureData } from '../evidence.ts'
import { num } from '../number.ts'
import type { ArpDetector, ArpLook, Assessment, Draft, Finding } from './detector.ts'
import { assessment, draft } from './detector.ts'

const OPTIONS = {
  unasked_min: {
    kind: 'integer',
    default: 3,
    min: 1,
    max: 1000,
    unit: 'replies',
    comment: 'Unasked replies for an address that another card claims, within ten minutes.',
  },
  overrides_min: {
    kind: 'integer',
    default: 3,
    min: 2,
    max: 1000,
    unit: 'times',
    comment: 'Times that an address was announced, or told unasked, within half a minute after another card had claimed it.',
  },
  diverted_min: {
    kind: 'integer',
    default: 3,
    min: 1,
    max: 1000,
    unit: 'packets',
    comment:
      'Packets looked at that came over the claimant, where they had come over another card before. At most 32 a second are looked at.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  conflict: {
    lr: 2,
    group: 'pattern',
    basis: 'expert',
    label: 'another card’s address',
    claim: 'card {x0} said {m0} times unasked that {x1} is its address, which card {x2} claims as well',
    alt: 'two machines given the same address, or a spare that takes over and tells each host so',
    next: 'Look up in the switch which ports the two cards are on, and in the inventory whose they are.',
  },
  unasked: {
    lr: 1.5,
    group: 'pattern',
    basis: 'expert',
    label: 'told unasked',
    claim: 'card {x0} said {m0} times unasked that {x1} is its address; no other card was heard to claim it',
    alt: 'a question that the sensor did not see',
    next: 'Look up whose card the address belongs to.',
  },
  between: {
    lr: 0.9,
    group: 'target',
    basis: 'expert',
    label: 'stands between two hosts',
    claim: 'it tells {x0} that it is {x1}, and {x1} that it is {x0}',
    alt: 'a spare that takes over two addresses at once and tells each host so',
    next: 'Compare the card that each of the two hosts has stored for the other (`arp -a`, `ip neigh`) with the real one.',
  },
  repeated: {
    lr: 0.5,
    group: 'scale',
    basis: 'expert',
    label: 'again and again',
    claim: '{m0} forced claims within {m1}, where {m2} are enough to notice',
    next: 'Look whether the claims come at a steady pace, as tools make them.',
  },
  both_ways: {
    lr: 0.5,
    group: 'scale',
    basis: 'expert',
    label: 'several addresses taken',
    claim: 'one card took {m0} addresses that other cards claim, as is needed to stand between two hosts',
    next: 'The hosts with these addresses are those whose traffic is to be read.',
  },
  overridden: {
    lr: 0.4,
    group: 'timing',
    basis: 'expert',
    label: 'owner talked over',
    claim: 'the claim was forced anew {m0} times within half a minute after another card had claimed the address',
    next: 'Compare the times of both cards’ messages.',
  },
  gateway: {
    lr: 0.5,
    group: 'target',
    basis: 'expert',
    label: 'the gateway’s place',
    claim: 'the card whose place it takes hands on packets of {m0} other senders, as the gateway does',
    next: 'Compare the gateway’s card on the hosts (`arp -a`, `ip neigh`) with the real one.',
  },
  traffic: {
    lr: 0.7,
    group: 'volume',
    basis: 'expert',
    label: 'packets diverted',
    claim: '{m0} packets looked at came over the claimant, where they had come over another card before the claim',
    next: 'Read what the hosts sent in that time: passwords in it are known to whoever stands between.',
  },
} as const

/** Virtual router cards: VRRP (RFC 5798, section 7.3), HSRP version 1 and 2, GLBP. */
const VIRTUAL_ROUTERS = ['00:00:5e:00:01:', '00:00:0c:07:ac:', '00:00:0c:9f:f', '00:07:b4:00:'] as const
/** Senders whose packets a card hands on, so that it is taken for a gateway's. */
const GATEWAY_SOURCES_MIN = 3
const REPEATED_FACTOR = 4
/** So many times what is asked for, and it is no passing mistake. */
const DIVERTED_FACTOR = 5
const MANY_DIVERTED_LR = 1
const MARKS_MAX = 256

export const MITM_ARP = {
  kind: 'mitm.arp',
  code: 'D19',
  title: 'Another host’s address taken by ARP',
  techniques: { fromInside: ['T1557.002'], fromOutside: ['T1557.002'], manyVictims: [] },
  inputs: 'ARP claims by address and network card; which card hands on whose packets',
  windowUs: CLAIM_US,
  entryTest:
    'another card claims the address, and unasked ≥ unasked_min or overrides ≥ overrides_min; or diverted packets ≥ diverted_min; or two hosts are told so of each other, unasked ≥ unasked_min each',
  options: OPTIONS,
  priorLog10: -2,
  cap: { limit: 0.97, why: 'two machines with one address look alike until somebody looks at them' },
  severityBase: 2,
  isBackgroundFromOutside: false,
  weights: WEIGHTS,
  detectArp,
} as const satisfies ArpDetector<typeof OPTIONS>

/** An address that the card forces on others. */
interface Taken {
  claimed: ClaimedAddress
  claim: Claim
  holders: readonly Claim[]
}

function detectArp({ station, atUs, message, arp }: ArpLook, options: Options): Finding | null {
  if (message === null && !isStep(station.divertedCount / options.diverted_min)) return null
  if (station.forced.size === 0 || VIRTUAL_ROUTERS.some((prefix) => station.mac.startsWith(prefix))) return null
  const taken = takenBy(station, atUs, arp, options)
  if (taken.length === 0) return null
  const told = [...new Set(taken.flatMap(({ claim }) => [...claim.told]))]
  const addresses = taken.map(({ claimed }) => claimed.address)
  const victims = [...new Set([...told, ...addresses])]
  return {
    actor: station.name(),
    victim: victims[0],
    keyPart: station.mac,
    flowsInWindow: forcedCount(taken),
    // A packet is no claim.
    ...(message === null ? { adds: 0 as const } : {}),
    firstUs: Math.min(...taken.map(({ claim }) => claim.firstUs)),
    victims: () => victims,
    telling: 0,
    assess: () => assess(station, taken, atUs, arp, options),
  }
}

/** 1, 2, 4, 8 …: a packet more changes nothing. */
function isStep(ratio: number): boolean {
  return ratio >= 1 && Number.isInteger(Math.log2(ratio))
}

/** The most insistent first. */
function takenBy(station: Station, atUs: number, arp: ArpTable, options: Options): Taken[] {
  const taken: Taken[] = []
  const between = betweenOf(station, options)
  for (const claimed of station.forced) {
    const claim = claimed.claimOf(station.mac)
    if (claim === null || atUs - claim.lastUs > CLAIM_US) continue
    const holders = claimed.others(station.mac, atUs)
    // A tool that stops mends what it broke in the owners' names, who may not have been heard before.
    if (between === null && holders.some((holder) => isBetween(arp.station(holder.mac), claimed, options))) continue
    if (between?.includes(claimed) === true || isTaken(station, claim, holders, options)) taken.push({ claimed, claim, holders })
  }
  return taken.sort((a, b) => b.claim.counts.unasked - a.claim.counts.unasked)
}

function isBetween(station: Station | undefined, claimed: ClaimedAddress, options: Options): boolean {
  return station !== undefined && betweenOf(station, options)?.includes(claimed) === true
}

/** Two addresses that the card claims, the holder of each told of the other: nobody who owns them does that. null when there are none. */
function betweenOf(station: Station, options: Options): readonly [ClaimedAddress, ClaimedAddress] | null {
  if (station.forced.size < 2) return null
  const told = [...station.forced].flatMap((claimed) => {
    const claim = claimed.claimOf(station.mac)
    return claim === null || claim.counts.unasked < options.unasked_min ? [] : [{ claimed, told: claim.told }]
  })
  for (const one of told) {
    const other = told.find(({ claimed, told: by }) => one.told.has(claimed.address) && by.has(one.claimed.address))
    if (other !== undefined) return [one.claimed, other.claimed]
  }
  return null
}

function isTaken(station: Station, claim: Claim, holders: readonly Claim[], options: Options): boolean {
  const { unasked } = claim.counts
  // Who had the address in an ordinary way before anybody else may insist on it; tools that stop mend what they broke in its name.
  if (holders.length > 0 && claim.isOrdinary && holders.every((holder) => holder.firstUs > claim.firstUs)) return false
  if (holders.length > 0 && unasked >= options.unasked_min) return true
  // A machine whose only address was given to another as well defends it, and is no attacker.
  if (holders.length > 0 && claim.overrides >= options.overrides_min && station.ownAddress() !== null) return true
  return unasked > 0 && station.divertedCount >= options.diverted_min && [...claim.told].some((told) => station.diverted.has(told))
}

function forcedOf({ claim }: Taken): number {
  return claim.counts.unasked + claim.counts.announcement
}

function forcedCount(taken: readonly Taken[]): number {
  return taken.reduce((sum, one) => sum + forcedOf(one), 0)
}

function assess(station: Station, taken: readonly Taken[], atUs: number, arp: ArpTable, options: Options): Assessment {
  const fromUs = Math.min(...taken.map(({ claim }) => claim.firstUs))
  const sample = { n: forcedCount(taken), fromUs, toUs: atUs, flowIds: [] }
  const contested = taken.filter(({ holders }) => holders.length > 0)
  const isTold = taken.some(({ claim }) => claim.counts.unasked >= options.unasked_min)
  const holders = [...new Set(contested.flatMap((one) => one.holders.map((claim) => claim.mac)))]
  const evidence: Draft[] = [entryEvidence(station, taken[0], contested, sample), ...strength(taken, contested, sample, options)]
  const between = betweenOf(station, options)
  if (between !== null) {
    evidence.push(draft('D19.between', WEIGHTS.between, { measured: [], names: between.map(({ address }) => address), sample }))
  }
  const places = [...holders, ...station.divertedFrom]
  const foreign = Math.max(0, ...places.map((mac) => arp.station(mac)?.foreignSources ?? 0))
  if (foreign >= GATEWAY_SOURCES_MIN) evidence.push(draft('D19.gateway', WEIGHTS.gateway, { measured: [num(foreign, 'count')], sample }))
  if (station.divertedCount >= options.diverted_min) {
    const lr = station.divertedCount >= DIVERTED_FACTOR * options.diverted_min ? MANY_DIVERTED_LR : WEIGHTS.traffic.lr
    evidence.push(draft('D19.traffic', WEIGHTS.traffic, { measured: [num(station.divertedCount, 'count')], sample, lr }))
  }
  return assessment({
    evidence,
    servicePort: null,
    scaleRatio: forcedCount(taken) / options.unasked_min,
    success: station.divertedCount >= options.diverted_min ? 'packets then took their way over the claimant' : null,
    facts: holders.length === 0 ? {} : { handOver: { holders: holders.length, silent: silentSince(taken, contested, arp), isTold } },
    notEvaluated: [{ code: 'D19.content', why: 'whether packets were changed on their way: payload is not read' }],
    pictures: [claimsPicture(taken)],
  })
}

function entryEvidence(station: Station, first: Taken, contested: readonly Taken[], sample: Draft['sample']): Draft {
  if (contested.length === 0) {
    const measured = [num(first.claim.counts.unasked, 'count')]
    return draft('D19.unasked', WEIGHTS.unasked, { measured, names: [station.mac, first.claimed.address], sample })
  }
  const [{ claimed, claim, holders }] = contested
  const names = [station.mac, claimed.address, holders[0].mac]
  return draft('D19.conflict', WEIGHTS.conflict, {
    measured: [num(claim.counts.unasked + claim.counts.announcement, 'count')],
    names,
    sample,
  })
}

function strength(taken: readonly Taken[], contested: readonly Taken[], sample: Draft['sample'], options: Options): Draft[] {
  const evidence: Draft[] = []
  const forced = forcedCount(taken)
  if (forced >= REPEATED_FACTOR * options.unasked_min) {
    const measured = [num(forced, 'count'), num(sample.toUs - sample.fromUs, 'us'), num(options.unasked_min, 'count')]
    evidence.push(draft('D19.repeated', WEIGHTS.repeated, { measured, sample }))
  }
  if (contested.length > 1) evidence.push(draft('D19.both_ways', WEIGHTS.both_ways, { measured: [num(contested.length, 'count')], sample }))
  const overrides = taken.reduce((sum, { claim }) => sum + claim.overrides, 0)
  if (overrides >= options.overrides_min) {
    evidence.push(draft('D19.overridden', WEIGHTS.overridden, { measured: [num(overrides, 'count')], sample }))
  }
  return evidence
}

/** Cards that held one of the addresses and have sent nothing at all since it was forced. */
function silentSince(taken: readonly Taken[], contested: readonly Taken[], arp: ArpTable): number {
  const sinceUs = Math.min(...taken.map(({ claim }) => claim.forcedSinceUs))
  const macs = new Set(contested.flatMap(({ holders }) => holders.map((claim) => claim.mac)))
  return [...macs].filter((mac) => (arp.station(mac)?.lastUs ?? Number.NEGATIVE_INFINITY) <= sinceUs).length
}

function claimsPicture(taken: readonly Taken[]): PictureData {
  const messages = taken.flatMap(({ claimed }) => claimed.recent.map((message) => ({ ...message, address: claimed.address })))
  const addresses = taken.map(({ claimed }) => claimed.address)
  const macs = [...new Set(messages.map(({ mac }) => mac))]
  const shown = messages.sort((a, b) => a.atUs - b.atUs).slice(-MARKS_MAX)
  const marks = shown.map(({ atUs, mac, address, how }) => ({ atUs, mac: macs.indexOf(mac), address: addresses.indexOf(address), how }))
  return { picture: 'claims', macs, addresses, marks, omitted: messages.length - shown.length }
}
