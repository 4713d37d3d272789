/**
 * Who claims which address, who looks for whom, and over which card packets come: the memory behind ARP's detectors.
 *
 * In:  what the meter saw of the link layer, in order; packet time.
 * Out: per message what it was and whose; tables of stations by card and of claims by address.
 * Not: a judgement. The VLAN keeps claims apart, and nothing else: a mirror port may tag one direction only.
 * The invariant: every table has a limit, and `counters` says how often it was reached.
 */

import type { ArpSighting, CarriedSighting } from '../decode/link-sighting.ts'
import type { ClaimHow } from './arp-claims.ts'
import { CLAIM_US, ClaimedAddress } from './arp-claims.ts'
import { Station } from './arp-station.ts'
import { BoundedTable, type TableClock } from './bounded-table.ts'

/** An answer that comes later than this after the question was not asked for. */
const ANSWER_US = 5e6
const STATION_QUIET_US = 3600e6
const NO_ADDRESS = '0.0.0.0'

/** `probe` asks whether an address is free, in nobody's name (RFC 5227, section 2.1). */
export type ArpHow = ClaimHow | 'probe'

export interface ArpObserved {
  station: Station
  how: ArpHow
  target: string
}

interface Delivery {
  mac: string
  previousMac: string | null
  previousUs: number
}

export class ArpTable {
  /** Answers to anybody: none at all means that the port does not see them. */
  answersSeen = 0
  readonly #addresses: BoundedTable<ClaimedAddress>
  readonly #stations: BoundedTable<Station>
  readonly #questions: BoundedTable<{ atUs: number }>
  /** By sender's address and receiving card: which card brings them. */
  readonly #deliveries: BoundedTable<Delivery>
  readonly #tables: readonly { readonly evictedCount: number }[]

  constructor(entriesMax: number, clock: TableClock) {
    this.#addresses = new BoundedTable(entriesMax, 2 * CLAIM_US, clock)
    this.#stations = new BoundedTable(entriesMax, STATION_QUIET_US, clock)
    this.#questions = new BoundedTable(entriesMax, 2 * ANSWER_US, clock)
    this.#deliveries = new BoundedTable(entriesMax, 2 * CLAIM_US, clock)
    this.#tables = [this.#addresses, this.#stations, this.#questions, this.#deliveries]
  }

  noteArp(message: ArpSighting): ArpObserved {
    const { atUs, segment, senderMac, senderAddress, targetMac, targetAddress } = message
    const station = this.#stationOf(senderMac, atUs)
    const how = this.#howOf(message)
    if (how === 'question' || how === 'probe') {
      this.#questions.getOrCreate(`${senderMac} ${targetAddress}`, () => ({ atUs })).atUs = atUs
      station.noteAsked(targetAddress, atUs)
    }
    if (how === 'answer') {
      this.answersSeen++
      this.#stationOf(targetMac, atUs, false).noteAnswered(senderAddress, atUs)
    }
    if (how !== 'probe') {
      const claimed = this.#addresses.getOrCreate(`${segment} ${senderAddress}`, () => new ClaimedAddress(senderAddress))
      claimed.note(senderMac, how, targetAddress, atUs)
      if (how === 'question' || how === 'answer') station.noteUsed(senderAddress)
      else station.noteForced(claimed)
    }
    return { station, how, target: targetAddress }
  }

  /** The card's station when the packet took its way over another card before, else null. */
  noteCarried({ atUs, fromMac, toMac, sourceAddress, destinationAddress }: CarriedSighting): Station | null {
    const delivery = this.#deliveries.getOrCreate(`${sourceAddress} ${toMac}`, () => ({ mac: fromMac, previousMac: null, previousUs: 0 }))
    const station = this.#stationOf(fromMac, atUs)
    station.noteSource(sourceAddress)
    if (delivery.mac !== fromMac) {
      delivery.previousMac = delivery.mac
      delivery.previousUs = atUs
      delivery.mac = fromMac
    }
    const { previousMac, previousUs } = delivery
    if (previousMac === null || !hasForcedBefore(station, previousUs) || areOneMachines(fromMac, previousMac)) return null
    station.noteDiverted([sourceAddress, destinationAddress], previousMac)
    return station
  }

  station(mac: string): Station | undefined {
    return this.#stations.peek(mac)
  }

  /** The card that uses the address, on the VLANs named outermost first; undefined when nobody was heard to. */
  stationOf(address: string, vlans: readonly number[]): Station | undefined {
    const mac = this.#addresses.peek(`${vlans.join('.')} ${address}`)?.lastMac ?? null
    return mac === null ? undefined : this.#stations.peek(mac)
  }

  get evictedCount(): number {
    return this.#tables.reduce((sum, table) => sum + table.evictedCount, 0)
  }

  /** In its own name or in nobody's, asked for or not. */
  #howOf({ atUs, isRequest, senderAddress, targetMac, targetAddress }: ArpSighting): ArpHow {
    if (senderAddress === NO_ADDRESS) return 'probe'
    if (senderAddress === targetAddress) return 'announcement'
    if (isRequest) return 'question'
    const question = this.#questions.peek(`${targetMac} ${senderAddress}`)
    return question !== undefined && atUs - question.atUs <= ANSWER_US ? 'answer' : 'unasked'
  }

  #stationOf(mac: string, atUs: number, isSender = true): Station {
    const station = this.#stations.getOrCreate(mac, () => new Station(mac, atUs))
    if (isSender) station.lastUs = Math.max(station.lastUs, atUs)
    return station
  }
}

/** Cards of one machine are numbered in a row by its maker: a router's ports, a switch's, an access point's radios. */
const IN_A_ROW = 32
const MAC_OCTETS_OF_MAKER = 'xx:xx:xx'.length
/** Second hexadecimal digit with the bit of locally administered addresses (IEEE 802): no maker gave that, and virtual machines of many owners count on. */
const LOCAL_BIT = 2

function areOneMachines(a: string, b: string): boolean {
  if (a.slice(0, MAC_OCTETS_OF_MAKER) !== b.slice(0, MAC_OCTETS_OF_MAKER) || (Number.parseInt(a[1], 16) & LOCAL_BIT) !== 0) return false
  const numberOf = (mac: string): number => Number.parseInt(mac.slice(MAC_OCTETS_OF_MAKER).replaceAll(':', ''), 16)
  return Math.abs(numberOf(a) - numberOf(b)) < IN_A_ROW
}

function hasForcedBefore(station: Station, atUs: number): boolean {
  for (const claimed of station.forced) {
    const claim = claimed.claimOf(station.mac)
    if (claim !== null && claim.forcedSinceUs <= atUs) return true
  }
  return false
}
