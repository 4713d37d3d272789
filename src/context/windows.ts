/**
 * What is remembered of a client, of a server, of the two together; and what a contact is found to belong to.
 *
 * Out: the windows as they begin. Not: who fills them: context.ts, and the parts that it asks.
 * The invariant: all fields are there from the beginning, and small whole numbers where they can be: those lie in the object itself.
 */

import type { Activity } from './activity.ts'
import { NO_SLOT, PortUse, RotatingCount } from './activity.ts'
import type { AttemptSeries } from './attempts.ts'
import type { BackgroundDay } from './background.ts'
import { NO_SEAT } from './bounded-table.ts'
import { SERVER } from './contact.ts'
import { NO_PROTO, type Waiting } from './destination-windows.ts'
import type { DistinctWindow } from './distinct-window.ts'
import type { Exchange } from './exchanges.ts'
import type { FailedTarget, FailedTargets } from './failed-targets.ts'
import type { HourTally } from './host-history.ts'
import type { MinuteRing } from './minute-ring.ts'
import type { ServedTally } from './served-history.ts'
import type { ServiceMemo } from './services.ts'
import type { SessionWindow } from './sessions.ts'
import { type HostInShare, NOT_SHARED, type PairInShare } from './visibility-share.ts'
import { sourceRing, targetRing } from './window-features.ts'

/** No time of a pair. */
export const NEVER_MS = -(2 ** 31)
/** Never written to. */
export const NO_PORTS: readonly number[] = []
const NO_ACTIVITY: Activity = {
  clientFlows: 0,
  clientFailed: 0,
  clientBytes: 0,
  clientServers: 0,
  clientPorts: 0,
  serverFlows: 0,
  serverClients: 0,
  isNewPair: false,
  isNewPort: false,
  sinceLastUs: Number.NaN,
}

export interface ClientWindow extends HostInShare {
  /** Its place in the table. */
  seat: number
  /** The text of the address by which the tables know it. */
  address: string
  ring: MinuteRing
  /** Height of the threshold random walk over first contacts, and how many of them failed and succeeded. */
  walkHeight: number
  firstFailed: number
  firstAnswered: number
  /** Servers that failed and never answered this client, last hour. Made at the second failure. */
  failed: FailedTargets | null
  /** The first failure, until there are two: a forged sender has no other. */
  firstFailure: FailedTarget | null
  /** Failed flows towards them, and those that were bare probes: at most two packets, no payload. */
  flatFailures: number
  failures: number
  /** Different servers, and different services, of the last five to ten minutes. */
  servers: RotatingCount
  services: RotatingCount
  ports: PortUse
  /** What an inside client did in the hour; null for others. */
  hour: HourTally | null
  /** Made when it first has a vote. */
  votes: VoteTally | null
  /** The window of five minutes in which the host was counted as active last. */
  activeSlot: number
}

/** Flows of one host in the present minute, by whatever they are grouped by: each host has one vote a minute and group. */
export interface VoteTally {
  minute: number
  /** The first group of the minute, and its flows; the others are listed. */
  group: number
  flows: number
  others: Map<number, number> | null
}

export interface TargetWindow extends HostInShare, Waiting, ServiceMemo {
  /** Its place in the table. */
  seat: number
  address: string
  ring: MinuteRing
  clients: RotatingCount
  /** Made when it first has a vote. */
  votes: VoteTally | null
  /** What an inside server got in the hour, once it answered or drew much; null for others. */
  served: ServedTally | null
  /** It sent at least one packet: the address is in use. */
  hasSent: boolean
}

export interface PairWindow extends PairInShare {
  client: ClientWindow
  target: TargetWindow
  hasAnswered: boolean
  /** This pair's first contact counted as a failure in the client's walk. */
  isWalkFailure: boolean
  /** The server came among the client's failed ones, perhaps to be taken out again. */
  isFailedTarget: boolean
  /** The first port that failed, and when; windows are made when a second one fails: most pairs of a sweep never have one. */
  firstFailed: FailedTarget | null
  failedShort: DistinctWindow<number> | null
  failedLong: DistinctWindow<number> | null
  /** IP protocols without ports that the client tried and the server sent nothing of, last five to ten minutes; null until there is one. */
  protocols: DistinctWindow<number> | null
  /** Distinct ports that answered, the first ANSWERED_PORTS_MAX. */
  answeredPorts: readonly number[]
  /** When the client, and the server, last sent the other anything. In whole milliseconds, as small numbers lie in the pair itself. */
  clientSentMs: number
  serverSentMs: number
  /** Connections to the first service of the server that the client used; those to others lie in a table of their own. */
  firstService: AttemptSeries | null
  /** The window of five minutes in which the pair was counted last. */
  countedSlot: number
  /** The day on which its history was told, since 1970. */
  toldDay: number
  /** Part of an open episode until then: not learnt from. */
  suspectUntilMs: number
}

export interface Observed extends Exchange {
  client: ClientWindow
  target: TargetWindow
  pair: PairWindow
  activity: Activity
  /** Present when the contact was a session with payload both ways on one of the ports asked for. */
  sessions: SessionWindow | null
  /** Unanswered probes of this day to the prefix of this contact's server; null when it is no such probe. */
  background: BackgroundDay | null
}

export function newClient(address: string): ClientWindow {
  return {
    seat: NO_SEAT,
    address,
    ring: sourceRing(),
    walkHeight: 0,
    firstFailed: 0,
    firstAnswered: 0,
    failed: null,
    firstFailure: null,
    flatFailures: 0,
    failures: 0,
    servers: new RotatingCount(),
    services: new RotatingCount(),
    ports: new PortUse(),
    hour: null,
    votes: null,
    activeSlot: NO_SLOT,
    shareSlot: NOT_SHARED,
    sharePairs: 0,
  }
}

export function newTarget(address: string): TargetWindow {
  return {
    seat: NO_SEAT,
    address,
    ring: targetRing(),
    clients: new RotatingCount(),
    votes: null,
    served: null,
    hasSent: false,
    waitingProto: NO_PROTO,
    isWatched: false,
    waitingSinceMs: 0,
    waitingFlows: 0,
    waitingPackets: 0,
    waitingUsedMs: 0,
    serviceKey: 0,
    service: null,
    serviceSeenMs: 0,
    shareSlot: NOT_SHARED,
    sharePairs: 0,
  }
}

export function newVotes(): VoteTally {
  return { minute: NO_SLOT, group: 0, flows: 0, others: null }
}

export function newPair(client: ClientWindow, target: TargetWindow): PairWindow {
  return {
    client,
    target,
    hasAnswered: false,
    isWalkFailure: false,
    isFailedTarget: false,
    firstFailed: null,
    failedShort: null,
    failedLong: null,
    protocols: null,
    answeredPorts: NO_PORTS,
    clientSentMs: NEVER_MS,
    serverSentMs: NEVER_MS,
    firstService: null,
    countedSlot: NO_SLOT,
    toldDay: NO_SLOT,
    suspectUntilMs: NEVER_MS,
    shareSlot: NOT_SHARED,
    shareStanding: 'half',
  }
}

/** Before it is known what the contact belongs to: one object for each, which is filled in. */
export function newObserved(client: ClientWindow, target: TargetWindow, pair: PairWindow): Observed {
  return {
    attempts: null,
    transfers: null,
    datagrams: null,
    echoTargets: null,
    destination: null,
    countedAtUs: null,
    receiver: SERVER,
    reflection: null,
    slow: null,
    adminTargets: null,
    long: null,
    client,
    target,
    pair,
    activity: NO_ACTIVITY,
    sessions: null,
    background: null,
  }
}
