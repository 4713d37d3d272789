/**
 * The site's rules that keep alerts from notifying: for whom, by whom, until when and why.
 *
 * In:  rules as checked from a file (mute-file.ts); what an episode is about, with its packet time.
 * Out: the first rule that mutes it, or none.
 * Not: silence. A muted episode is judged, written and counted as any other, and its likelihood stays (a declared role, B5, is
 *      evidence and moves it). Not a clock: a rule ends by the episode's packet time.
 * The invariant: a rule with a scope of victims mutes only what stays inside it: one victim outside, and the episode is told.
 */
import { NetworkSet, parseAddress } from '../base/address.ts'
import type { Suppression } from './evidence.ts'

/** Whom a rule is about; null stands for any. */
export interface MuteScope {
  kinds: readonly string[]
  /** Addresses, networks, or the hardware addresses by which ARP alerts name stations. */
  actors: readonly string[] | null
  victims: readonly string[] | null
  ports: readonly number[] | null
}

export interface MuteRule extends MuteScope {
  id: string
  owner: string
  reason: string
  /** As in the file; '' when it does not say. */
  created: string
  until: string
  /** The first second, since 1970, in which it holds no more. */
  untilSec: number
  /** Its owner has confirmed that it should be as wide as it is (mute-width.ts). */
  isWide: boolean
}

export interface MuteSubject {
  kind: string
  /** An address, or 'many', which only a rule for any actor covers. */
  actor: string
  victims: readonly string[]
  /** null when the episode is about many, which a rule for certain ports does not cover. */
  servicePort: number | null
  atSec: number
}

export class Mutes {
  readonly rules: readonly MuteRule[]
  readonly #matchers: readonly { rule: MuteRule; actors: HostSet; victims: HostSet }[]

  /** @throws RangeError when an address is none. */
  constructor(rules: readonly MuteRule[]) {
    this.rules = rules
    this.#matchers = rules.map((rule) => ({ rule, actors: new HostSet(rule.actors), victims: new HostSet(rule.victims) }))
  }

  /** The first in the file's order. */
  ruleFor(subject: MuteSubject): MuteRule | null {
    const { kind, actor, victims, servicePort, atSec } = subject
    const found = this.#matchers.find(
      ({ rule, ...hosts }) =>
        atSec < rule.untilSec &&
        rule.kinds.includes(kind) &&
        (rule.ports === null || (servicePort !== null && rule.ports.includes(servicePort))) &&
        hosts.actors.has(actor) &&
        (rule.victims === null || (victims.length > 0 && victims.every((victim) => hosts.victims.has(victim)))),
    )
    return found?.rule ?? null
  }

  suppressionOf(subject: MuteSubject): Suppression | null {
    const rule = this.ruleFor(subject)
    return rule === null ? null : { rule: rule.id, owner: rule.owner, until: rule.until, reason: rule.reason }
  }

  /** The rules that hold no more at this second. */
  expiredAt(sec: number): MuteRule[] {
    return this.rules.filter(({ untilSec }) => untilSec <= sec)
  }
}

export const NO_MUTES = new Mutes([])

const HARDWARE_ADDRESS = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i

export function isHardwareAddress(text: string): boolean {
  return HARDWARE_ADDRESS.test(text)
}

/** Hosts by address or network, and stations by hardware address. */
class HostSet {
  readonly #networks: NetworkSet | null
  readonly #stations: ReadonlySet<string>

  constructor(hosts: readonly string[] | null) {
    const stations = (hosts ?? []).filter(isHardwareAddress)
    this.#networks = hosts === null ? null : new NetworkSet(hosts.filter((host) => !stations.includes(host)))
    this.#stations = new Set(stations.map((station) => station.toLowerCase()))
  }

  has(host: string): boolean {
    if (this.#networks === null) return true
    const words = parseAddress(host)
    return words === null ? this.#stations.has(host.toLowerCase()) : this.#networks.hasWords(words)
  }
}
