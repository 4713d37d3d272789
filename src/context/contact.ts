/**
 * One conversation as the host windows want it: who asked whom, and how it ended.
 *
 * Made by orientation (score/), which knows clients from servers; its type stands here because windows may not import score/.
 * Pairs are [client, server]. Times are microseconds relative to the run's base second.
 */

import type { Measured, Pair } from '../flow/flow.ts'

/** Index of the client's and the server's value in a pair. */
export const CLIENT = 0
export const SERVER = 1

/**
 * `answered`: the server took part (payload, a completed handshake, a reply).
 * `failed`: it did not, and should have (SCORER.md section 3).
 * `unclear`: neither can be said: a missing half, a stream joined midway, a datagram that wants no reply, a group address.
 */
export type Outcome = 'answered' | 'failed' | 'unclear'

/** How a failure showed itself; null unless the outcome is `failed`. */
export type Failure = 'refused' | 'unreachable' | 'silent' | 'probe'

export interface Contact {
  flowId: number
  proto: number
  addr: Pair<string>
  port: Pair<number>
  packets: Pair<Measured>
  payloadBytes: Pair<Measured>
  /** Σ of squared payload lengths; absent when not measured. */
  payloadSquares?: Pair<Measured>
  startUs: number
  lastUs: number
  /** When the row left the meter: rows come in this order. */
  endUs: number
  outcome: Outcome
  failure: Failure | null
  /** The client's SYN was seen in this row. */
  hasSyn: boolean
  /** The client completed the handshake, or sent anything after it. */
  hasCompleted: boolean
  /** A TCP connection that had begun before the capture: flags were measured, and there is no SYN either way. */
  isMidway: boolean
  /** TCP segments of no connection: no SYN either way, one or two packets, and no answer but a reset. */
  isStray: boolean
  /** TCP of which a FIN was seen, either way: who has said all does not hold a connection open. */
  isClosing: boolean
  /** The server's address is a multicast or broadcast address. */
  isToGroup: boolean
  /** A later piece of a connection that an earlier row began. */
  isContinuation: boolean
  /** Only what this sensor could see: whose packets the row holds. */
  halves: 'orig' | 'resp' | 'both'
  /** TCP that shows a completed handshake or data, so that both directions must have existed. */
  hasExchange: boolean
  /** Client and server are told by more than a guess: the server table may learn from it. */
  isOrientationSure: boolean
  isClientInternal: boolean
  isServerInternal: boolean
}
