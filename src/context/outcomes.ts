/**
 * What a failure, an answer, a silent protocol change in the windows of its hosts (SCORER.md section 3).
 *
 * In:  contacts with their outcome. Out: walks, failed targets and ports, ports that answered.
 * Not: whether that is a scan: detectors say so.
 */

import { ICMP, ICMPV6 } from '../flow/flow.ts'
import type { Contact } from './contact.ts'
import { CLIENT, SERVER } from './contact.ts'
import { DistinctWindow } from './distinct-window.ts'
import { type FailedTarget, FailedTargets } from './failed-targets.ts'
import { correct, step } from './first-contacts.ts'
import { type ClientWindow, NO_PORTS, type PairWindow } from './windows.ts'

const SHORT_WINDOW_US = 300e6
const LONG_WINDOW_US = 3600e6
/** Ports and targets kept one by one, because pictures and reports name them. */
const LISTED_MAX = 1024
const ANSWERED_PORTS_MAX = 64
/** Lists of one port: most pairs have no other, and many the same. */
const ONE_PORT: (readonly number[] | undefined)[] = []

export function noteFailure(contact: Contact, client: ClientWindow, pair: PairWindow): void {
  const server = contact.addr[SERVER]
  const port = contact.port[SERVER]
  // A lone ACK or FIN+ACK to a port that answered is the tail of a connection whose row has ended.
  if (contact.failure === 'probe' && pair.answeredPorts.includes(port)) return
  const failure = { server, port, atUs: contact.startUs }
  noteFailedPort(pair, failure)
  // Elsewhere it is as often the end of a connection that began before the capture: of no use to tell scanners across hosts.
  if (pair.hasAnswered || contact.failure === 'probe') return
  if (!pair.isWalkFailure) {
    pair.isWalkFailure = true
    client.walkHeight = step(client.walkHeight, true)
    client.firstFailed++
  }
  noteFailedTarget(client, failure)
  pair.isFailedTarget = true
  client.failures++
  if (isFlatProbe(contact)) client.flatFailures++
}

/** What is neither TCP, UDP nor ICMP. Silence means little of one protocol, as a tunnel seen one way; of many it does. */
export function noteProtocol(contact: Contact, pair: PairWindow): void {
  if (contact.proto === ICMP || contact.proto === ICMPV6 || contact.isToGroup || !contact.packets[CLIENT]) return
  if (contact.packets[SERVER] !== 0) return
  pair.protocols ??= new DistinctWindow(SHORT_WINDOW_US, LISTED_MAX)
  pair.protocols.add(contact.proto, contact.startUs)
}

function noteFailedTarget(client: ClientWindow, target: FailedTarget): void {
  if (client.failed === null && client.firstFailure === null) client.firstFailure = target
  else listFailures(client).add(target)
}

function listFailures(client: ClientWindow): FailedTargets {
  client.failed ??= new FailedTargets(LONG_WINDOW_US, LISTED_MAX)
  if (client.firstFailure !== null) client.failed.add(client.firstFailure)
  client.firstFailure = null
  return client.failed
}

function noteFailedPort(pair: PairWindow, failure: FailedTarget): void {
  const { port, atUs } = failure
  pair.firstFailed ??= failure
  if (pair.failedShort === null || pair.failedLong === null) {
    if (pair.firstFailed.port === port) return
    pair.failedShort = new DistinctWindow(SHORT_WINDOW_US, LISTED_MAX)
    pair.failedLong = new DistinctWindow(LONG_WINDOW_US, LISTED_MAX)
    for (const window of [pair.failedShort, pair.failedLong]) window.add(pair.firstFailed.port, pair.firstFailed.atUs)
  }
  pair.failedShort.add(port, atUs)
  pair.failedLong.add(port, atUs)
}

export function noteAnswer(contact: Contact, client: ClientWindow, pair: PairWindow): void {
  const port = contact.port[SERVER]
  if (!pair.hasAnswered) {
    pair.hasAnswered = true
    if (pair.isWalkFailure) {
      client.walkHeight = correct(client.walkHeight)
      client.firstFailed--
    } else {
      client.walkHeight = step(client.walkHeight, false)
    }
    client.firstAnswered++
  }
  if (pair.isFailedTarget) listFailures(client).remove(contact.addr[SERVER], port)
  if (pair.firstFailed?.port === port) pair.firstFailed = null
  pair.failedShort?.remove(port)
  pair.failedLong?.remove(port)
  if (pair.answeredPorts === NO_PORTS) pair.answeredPorts = onePort(port)
  else if (pair.answeredPorts.length < ANSWERED_PORTS_MAX && !pair.answeredPorts.includes(port))
    pair.answeredPorts = [...pair.answeredPorts, port]
}

function onePort(port: number): readonly number[] {
  ONE_PORT[port] ??= [port]
  return ONE_PORT[port]
}

function isFlatProbe(contact: Contact): boolean {
  return (contact.packets[CLIENT] ?? 0) <= 2 && contact.payloadBytes[CLIENT] === 0
}
