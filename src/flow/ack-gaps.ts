/**
 * Loss before the host, inferred from acknowledgements of data that was never seen, as Zeek's capture-loss script does: an endpoint
 * acknowledges only what reached it, so what it acknowledges and we did not see was lost on the way to us.
 *
 *        seen ──────────────┐hole┌────────┐ NEXT_SEQ          ACK beyond NEXT_SEQ, or beyond the hole's end: one gap
 *   sequence numbers ───────┴────┴────────┴──────────▶
 *
 * In:  TCP packets of connections whose whole handshake was seen. Out: ACKs that acknowledge something new, and those among them that
 *      acknowledge something unseen, in the books of the interface that the ACK came from.
 * Not: connections seen from the middle or in one direction; acknowledged octets: like Zeek's, the share is one of events. One hole a
 *      direction is kept, the first: with several at once the share is a lower bound.
 * Data that comes after its acknowledgement was disorder, no loss: its gap is taken back.
 */
import type { Packet } from '../decode/packet.ts'
import type { InterfaceHealth } from './interface-health.ts'
import * as Row from './row.ts'

/** No window is larger (RFC 7323, section 2.2): an acknowledgement further ahead is nonsense, not loss. */
const WINDOW_MAX = 2 ** 30

/** The handshake is over: what it acknowledged is where counting begins. */
export function startAcks(w: Uint32Array, atW: number): void {
  w[atW + Row.ACKED_W] = w[atW + Row.NEXT_SEQ_W + 1]
  w[atW + Row.ACKED_W + 1] = w[atW + Row.NEXT_SEQ_W]
}

/** Counts an ACK of `endpoint` when it acknowledges something new. */
export function countAck(w: Uint32Array, at: number, endpoint: number, ack: number, health: InterfaceHealth): void {
  // Most acknowledge nothing new; the rest is apart so that the compiler keeps this in the caller.
  if (((ack - w[at * 2 + Row.ACKED_W + endpoint]) | 0) > 0) countNewAck(w, at, endpoint, ack, health)
}

function countNewAck(w: Uint32Array, at: number, endpoint: number, ack: number, health: InterfaceHealth): void {
  const other = 1 - endpoint
  const beyond = (ack - w[at * 2 + Row.NEXT_SEQ_W + other]) | 0
  if (beyond > WINDOW_MAX) return
  w[at * 2 + Row.ACKED_W + endpoint] = ack
  health.acks++
  if (beyond > 0) w[at * 2 + Row.STATE_W] |= Row.GAP_COUNTED
  if (beyond > 0 || closesHole(w, at, other, ack)) health.ackGaps++
}

/** Whether this is data that its receiver has acknowledged before we saw it: the end of what was taken for a gap. */
export function isLateData(w: Uint32Array, atW: number, p: Packet): boolean {
  const acked = w[atW + Row.ACKED_W + 1 - p.endpoint]
  const next = w[atW + Row.NEXT_SEQ_W + p.endpoint]
  if (((acked - next) | 0) <= 0 || p.payloadLen === 0) return false
  return ((p.seq - next) | 0) >= 0 && ((p.seq - acked) | 0) < 0 && ((p.seq + p.payloadLen - acked) | 0) >= 0
}

/** A segment begins `len` octets behind what was seen so far. What of it was acknowledged already has been counted as a gap. */
export function openHole(w: Uint32Array, at: number, endpoint: number, start: number, len: number): void {
  const stateW = at * 2 + Row.STATE_W
  if ((w[stateW] & (Row.HOLE_OPEN << endpoint)) !== 0) return
  const acked = (w[stateW] & Row.ACKS_COUNTED) === 0 ? 0 : Math.max(0, (w[at * 2 + Row.ACKED_W + 1 - endpoint] - start) | 0)
  if (acked >= len) return
  w[stateW] |= Row.HOLE_OPEN << endpoint
  const dW = 2 * (at + Row.DIRECTION_AT + endpoint * Row.DIRECTION_CELLS)
  w[dW + Row.D_HOLE_AT_W] = start + acked
  w[dW + Row.D_HOLE_LEN_W] = len - acked
}

/** A segment from before: it may fill the hole, from either end; one in its middle ends it, since half a hole is not kept. */
export function fillHole(w: Uint32Array, at: number, endpoint: number, seq: number, len: number): void {
  const dW = 2 * (at + Row.DIRECTION_AT + endpoint * Row.DIRECTION_CELLS)
  const from = (seq - w[dW + Row.D_HOLE_AT_W]) | 0
  const to = from + len
  const holeLen = w[dW + Row.D_HOLE_LEN_W]
  if (to <= 0 || from >= holeLen) return
  if (from > 0 && to >= holeLen) {
    w[dW + Row.D_HOLE_LEN_W] = from
  } else if (from <= 0 && to < holeLen) {
    w[dW + Row.D_HOLE_AT_W] += to
    w[dW + Row.D_HOLE_LEN_W] = holeLen - to
  } else {
    w[at * 2 + Row.STATE_W] &= ~(Row.HOLE_OPEN << endpoint)
  }
}

/** Whether the acknowledgement covers an open hole of the other endpoint's data, which it ends. */
function closesHole(w: Uint32Array, at: number, other: number, ack: number): boolean {
  const stateW = at * 2 + Row.STATE_W
  if ((w[stateW] & (Row.HOLE_OPEN << other)) === 0) return false
  const dW = 2 * (at + Row.DIRECTION_AT + other * Row.DIRECTION_CELLS)
  if (((ack - w[dW + Row.D_HOLE_AT_W] - w[dW + Row.D_HOLE_LEN_W]) | 0) < 0) return false
  w[stateW] &= ~(Row.HOLE_OPEN << other)
  return true
}
