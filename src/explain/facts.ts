/**
 * What all parts of a report say about the same alert: who, whom, where, how pressing. Worked out once.
 *
 * In:  an alert event as it stands in its line, its kind's words.
 * Out: `Facts`: names as Markdown, addresses checked for use in commands.
 * The invariant: a command or rule only ever holds addresses that `parseAddress` accepts.
 */
import { parseAddress } from '../base/address.ts'
import { PROTO_ARP, protoName } from '../flow/flow.ts'
import type { AlertEvent, KeptFlow } from '../score/evidence.ts'
import { code } from './markdown.ts'
import { serviceName } from './services.ts'
import { countOf, countText, durationText } from './words.ts'

/** How strongly a report may speak: 'watch' looks, 'check' asks, 'act' contains. */
export type Urgency = 'watch' | 'check' | 'act'

export interface Facts {
  alert: AlertEvent
  /** The actor as Markdown, or 'many sources'. */
  actor: string
  /** The first victim, and how many more. */
  victims: string
  /** 'it' or 'they': how a sentence goes on about the victims. */
  isOneVictim: boolean
  /** `port 22 (usually ssh)`, or '' when the episode is about many ports. */
  port: string
  proto: string
  /** How long the episode has lasted so far. */
  span: string
  urgency: Urgency
  /** For commands and rules; null for 'many' or what is no address. */
  actorAddress: string | null
  victimAddresses: readonly string[]
  /** The actor's network card where it has no address; null elsewhere. */
  actorMac: string | null
  /** Network cards that the evidence names, the strongest first. */
  macs: readonly string[]
  isArp: boolean
  /** '12 flows', or '12 ARP messages' where there are no flows. */
  extent: string
  isActorInside: boolean | null
  /** How many attempts of a scan were answered, as far as its grid was kept; null without a grid. */
  answeredCount: number | null
}

export function factsOf(alert: AlertEvent): Facts {
  return {
    alert,
    actor: alert.actor === 'many' ? 'many sources' : alert.actor === 'unknown' ? 'a host not named' : code(alert.actor),
    victims: victimsText(alert),
    isOneVictim: alert.victims.count === 1,
    port: alert.servicePort === null ? '' : portText(alert.proto, alert.servicePort),
    proto: protoName(alert.proto),
    span: durationText(alert.episode.lastUs - alert.episode.firstUs),
    urgency: urgencyOf(alert),
    actorAddress: checkedAddress(alert.actor),
    victimAddresses: alert.victims.addresses.map(checkedAddress).filter((address) => address !== null),
    actorMac: isMac(alert.actor) ? alert.actor : null,
    macs: [...new Set(alert.evidence.flatMap((evidence) => evidence.names.filter(isMac)))],
    isArp: alert.proto === PROTO_ARP,
    extent: countOf(alert.episode.flows, alert.proto === PROTO_ARP ? 'ARP message' : 'flow'),
    isActorInside: alert.actorSide === undefined || alert.actorSide === 'unknown' ? null : alert.actorSide === 'inside',
    answeredCount: answeredCount(alert),
  }
}

export function isMac(text: string): boolean {
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(text)
}

function answeredCount(alert: AlertEvent): number | null {
  for (const picture of alert.pictures) {
    if (picture.picture === 'grid') return picture.cells.filter((cell) => cell.outcome === 'answered').length
  }
  return null
}

export function victimsText(alert: AlertEvent): string {
  const first =
    alert.victims.addresses.length === 0
      ? alert.actor === 'unknown'
        ? 'a host not named'
        : 'unknown hosts'
      : code(alert.victims.addresses[0])
  const others = alert.victims.count - 1
  return others < 1 ? first : `${first} and ${countText(others)} more ${others === 1 ? 'host' : 'hosts'}`
}

export function portText(proto: number, port: number): string {
  const service = serviceName(proto, port)
  return service === null ? `port ${port}` : `port ${port} (usually ${service})`
}

/** Containment needs both a grave and a likely thing; asking needs a likely one. */
function urgencyOf(alert: AlertEvent): Urgency {
  const isGrave = alert.severity === 'high' || alert.severity === 'critical'
  if (isGrave && alert.likelihood >= 0.8) return 'act'
  return alert.likelihood >= 0.5 && alert.severity !== 'info' ? 'check' : 'watch'
}

function checkedAddress(text: string): string | null {
  return parseAddress(text) === null ? null : text
}

/** The kept flow between the actor and its first victim, or the most telling one; null when none was kept. */
export function tellingFlow(alert: AlertEvent): KeptFlow | null {
  const [victim] = alert.victims.addresses
  const joins = (flow: KeptFlow): boolean => flow.addr.includes(alert.actor) && flow.addr.includes(victim)
  return alert.flows.find(joins) ?? alert.flows[0] ?? null
}
