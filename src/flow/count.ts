/**
 * What one packet adds to its flow's row.
 *
 * In:  the row's cells and words, the endpoint that sent the packet (0 is A, 1 is B), the packet, and its time.
 * Out: the row, brought up to date. Definitions: FEATURES.md section 4; the feature table reads the cells.
 * Not: whether the packet belongs to the row: expiry, close and direction are the table's business.
 * The invariant: times inside a row never go back, so a sum of gaps is a difference of times; and every sum is one of whole
 * numbers, kept exact, so that variances need no running mean (four divisions a packet) and lose nothing.
 */
import { ACK, CWR, ECE, FIN, LATER_FRAGMENT, type Packet, PSH, RST, SYN, URG } from '../decode/packet.ts'
import { fillHole, openHole } from './ack-gaps.ts'
import { noteLetter } from './history.ts'
import * as Row from './row.ts'

const TCP = 6
/** Octets of a TCP header up to behind its window. */
const TCP_WINDOW_END = 16

/** Gaps and limits, in µs and packets. */
export interface CountLimits {
  activityGapUs: number
  subflowGapUs: number
  bulkGapUs: number
  bulkPacketsMin: number
  /** Gaps up to this, squared and summed over a whole row, stay whole numbers in a double. */
  smallGapUs: number
}

export function countPacket(
  f: Float64Array,
  w: Uint32Array,
  at: number,
  endpoint: number,
  p: Packet,
  t: number,
  limits: CountLimits,
): void {
  const atW = at * 2
  const { payloadLen } = p
  const rowPackets = w[atW + Row.PACKETS_W]
  let gapUs = 0
  if (rowPackets === 0) {
    startRow(f, w, at, p, t)
  } else {
    gapUs = t - f[at + Row.LAST_US]
    if (gapUs < w[atW + Row.FLOW_IAT_MIN_W]) w[atW + Row.FLOW_IAT_MIN_W] = gapUs
    if (gapUs > w[atW + Row.FLOW_IAT_MAX_W]) w[atW + Row.FLOW_IAT_MAX_W] = gapUs
    if (gapUs <= limits.smallGapUs) f[at + Row.FLOW_IAT_SQ] += gapUs * gapUs
    else addLargeSquare(f, w, at + Row.FLOW_IAT_SQ, atW + Row.FLOW_IAT_SQ_CARRY_W, gapUs)
    if (gapUs > limits.subflowGapUs || gapUs > limits.activityGapUs) countPause(f, w, at, gapUs, t, limits)
  }
  w[atW + Row.PACKETS_W] = rowPackets + 1
  f[at + Row.LAST_US] = t
  if (rowPackets < Row.TIMELINE_PACKETS_MAX) keepForTimeline(w, atW, rowPackets, endpoint, gapUs, p)
  countDirection(f, w, at, endpoint, p, t, limits.smallGapUs)
  if (payloadLen > 0) countBulk(f, w, at, endpoint, payloadLen, t, limits)
  if (p.proto === TCP && p.fragment !== LATER_FRAGMENT) countTcp(w, at, endpoint, p)
  else w[atW + Row.STATE_W] |= (Row.SEEN | (payloadLen > 0 ? Row.DATA_SEEN : 0)) << endpoint
}

function startRow(f: Float64Array, w: Uint32Array, at: number, p: Packet, t: number): void {
  f[at + Row.ROW_START_US] = t
  f[at + Row.ACTIVE_START_US] = t
  w[at * 2 + Row.FIRST_PACKET_W] = p.flags | (p.icmpType << 8) | (p.icmpCode << 16)
  w[at * 2 + Row.FLOW_IAT_MIN_W] = Row.NO_MINIMUM
  for (let endpoint = 0; endpoint < 2; endpoint++) {
    f[at + Row.DATA_LAST_US + endpoint] = Number.NEGATIVE_INFINITY
    const dW = 2 * (at + Row.DIRECTION_AT + endpoint * Row.DIRECTION_CELLS)
    w[dW + Row.D_IAT_MIN_W] = Row.NO_MINIMUM
    w[dW + Row.D_PAYLOAD_MIN_W] = Row.NO_MINIMUM
    w[dW + Row.D_HEADER_MIN_W] = Row.NO_MINIMUM
  }
}

/** The row is finished: its end takes the place of what only an open row needs. */
export function endRow(f: Float64Array, w: Uint32Array, at: number, endUs: number, reason: number): void {
  f[at + Row.DATA_LAST_US + 1] = 0
  f[at + Row.END_US] = endUs
  w[at * 2 + Row.END_REASON_W] = reason
}

const HALF_BITS = 2 ** 26
const CARRY = 2 ** 52

/** Adds gap² to a sum kept below 2^52 with carries: a gap of minutes, squared in microseconds, is more than a double holds exactly. */
function addLargeSquare(f: Float64Array, w: Uint32Array, cell: number, carryW: number, gapUs: number): void {
  const high = Math.floor(gapUs / HALF_BITS)
  const low = gapUs - high * HALF_BITS
  // gap² = high²·2^52 + 2·high·low·2^26 + low²; a gap is under 2^32, so high is under 64.
  const middle = 2 * high * low
  const middleHigh = Math.floor(middle / HALF_BITS)
  let sum = f[cell] + low * low
  let carry = high * high + middleHigh
  if (sum >= CARRY) {
    sum -= CARRY
    carry++
  }
  sum += (middle - middleHigh * HALF_BITS) * HALF_BITS
  if (sum >= CARRY) {
    sum -= CARRY
    carry++
  }
  f[cell] = sum
  w[carryW] += carry
}

function countPause(f: Float64Array, w: Uint32Array, at: number, gapUs: number, t: number, limits: CountLimits): void {
  if (gapUs > limits.subflowGapUs) w[at * 2 + Row.SUBFLOW_GAPS_W]++
  if (gapUs > limits.activityGapUs) endActivePeriod(f, w, at, gapUs, t)
}

/** CICFlowMeter's rule: a period of length 0 is not one, and the last one is never closed (FEATURES.md 4.7). */
function endActivePeriod(f: Float64Array, w: Uint32Array, at: number, gapUs: number, t: number): void {
  const atW = at * 2
  const activeUs = t - gapUs - f[at + Row.ACTIVE_START_US]
  if (activeUs > 0) {
    const n = ++w[atW + Row.ACTIVE_COUNT_W]
    f[at + Row.ACTIVE_M2] += welford(n, f[at + Row.ACTIVE_SUM_US], activeUs)
    f[at + Row.ACTIVE_SUM_US] += activeUs
    if (n === 1 || activeUs < w[atW + Row.ACTIVE_MIN_W]) w[atW + Row.ACTIVE_MIN_W] = activeUs
    if (activeUs > w[atW + Row.ACTIVE_MAX_W]) w[atW + Row.ACTIVE_MAX_W] = activeUs
  }
  const n = ++w[atW + Row.IDLE_COUNT_W]
  f[at + Row.IDLE_M2] += welford(n, f[at + Row.IDLE_SUM_US], gapUs)
  f[at + Row.IDLE_SUM_US] += gapUs
  if (n === 1 || gapUs < w[atW + Row.IDLE_MIN_W]) w[atW + Row.IDLE_MIN_W] = gapUs
  if (gapUs > w[atW + Row.IDLE_MAX_W]) w[atW + Row.IDLE_MAX_W] = gapUs
  f[at + Row.ACTIVE_START_US] = t
}

/** What the n-th value adds to the sum of squared deviations, given the sum of those before it. */
function welford(n: number, sumBefore: number, x: number): number {
  return n === 1 ? 0 : (x - sumBefore / (n - 1)) * (x - (sumBefore + x) / n)
}

function keepForTimeline(w: Uint32Array, atW: number, index: number, endpoint: number, gapUs: number, p: Packet): void {
  const cell = atW + Row.TIMELINE_W + index * Row.TIMELINE_STRIDE_W
  w[cell] = gapUs
  w[cell + 1] = Math.min(p.payloadLen, 0xffff) | (p.flags << 16) | (endpoint << 24)
}

/** Sizes and times of one direction. Payload lengths are summed and squared as whole numbers, exact up to 2^53. */
function countDirection(f: Float64Array, w: Uint32Array, at: number, endpoint: number, p: Packet, t: number, smallGapUs: number): void {
  const d = at + Row.DIRECTION_AT + endpoint * Row.DIRECTION_CELLS
  const dW = d * 2
  const { payloadLen, l4HeaderLen } = p
  const packets = w[dW + Row.D_PACKETS_W]
  if (packets === 0) {
    f[d + Row.D_FIRST_US] = t
  } else {
    const gapUs = t - f[d + Row.D_LAST_US]
    if (gapUs < w[dW + Row.D_IAT_MIN_W]) w[dW + Row.D_IAT_MIN_W] = gapUs
    if (gapUs > w[dW + Row.D_IAT_MAX_W]) w[dW + Row.D_IAT_MAX_W] = gapUs
    if (gapUs <= smallGapUs) f[d + Row.D_IAT_SQ] += gapUs * gapUs
    else addLargeSquare(f, w, d + Row.D_IAT_SQ, at * 2 + Row.D_IAT_SQ_CARRY_W + endpoint, gapUs)
  }
  if (payloadLen < w[dW + Row.D_PAYLOAD_MIN_W]) w[dW + Row.D_PAYLOAD_MIN_W] = payloadLen
  if (payloadLen > w[dW + Row.D_PAYLOAD_MAX_W]) w[dW + Row.D_PAYLOAD_MAX_W] = payloadLen
  if (l4HeaderLen < w[dW + Row.D_HEADER_MIN_W] && p.fragment !== LATER_FRAGMENT) w[dW + Row.D_HEADER_MIN_W] = l4HeaderLen
  w[dW + Row.D_PACKETS_W] = packets + 1
  f[d + Row.D_LAST_US] = t
  if (payloadLen > 0) {
    w[dW + Row.D_DATA_PACKETS_W]++
    f[d + Row.D_PAYLOAD_SUM] += payloadLen
    f[d + Row.D_PAYLOAD_SUM_SQ] += payloadLen * payloadLen
  }
  w[dW + Row.D_HEADER_SUM_W] += l4HeaderLen
  f[d + Row.D_IP_SUM] += p.ipLen
}

/**
 * Bulk transfer (FEATURES.md 4.6): packets with payload one way, no payload the other way since the first, no gap over the limit.
 * Packets without payload are left out altogether: they change nothing that the next packet with payload would not find anyway.
 */
function countBulk(f: Float64Array, w: Uint32Array, at: number, endpoint: number, len: number, t: number, limits: CountLimits): void {
  const d = at + Row.DIRECTION_AT + endpoint * Row.DIRECTION_CELLS
  const dW = d * 2
  const run = w[dW + Row.D_BULK_RUN_W]
  const lastUs = f[at + Row.DATA_LAST_US + endpoint]
  const isBroken = f[at + Row.DATA_LAST_US + 1 - endpoint] > f[d + Row.D_BULK_START_US]
  if (run === 0 || isBroken || t - lastUs > limits.bulkGapUs) {
    f[d + Row.D_BULK_START_US] = t
    f[d + Row.D_BULK_SIZE] = len
    w[dW + Row.D_BULK_RUN_W] = 1
  } else {
    f[d + Row.D_BULK_SIZE] += len
    w[dW + Row.D_BULK_RUN_W] = run + 1
    if (run + 1 === limits.bulkPacketsMin) {
      w[dW + Row.D_BULKS_W]++
      w[dW + Row.D_BULK_PACKETS_W] += limits.bulkPacketsMin
      f[d + Row.D_BULK_BYTES] += f[d + Row.D_BULK_SIZE]
      f[d + Row.D_BULK_DURATION_US] += t - f[d + Row.D_BULK_START_US]
    } else if (run + 1 > limits.bulkPacketsMin) {
      w[dW + Row.D_BULK_PACKETS_W]++
      f[d + Row.D_BULK_BYTES] += len
      f[d + Row.D_BULK_DURATION_US] += t - lastUs
    }
  }
  f[at + Row.DATA_LAST_US + endpoint] = t
}

function countTcp(w: Uint32Array, at: number, endpoint: number, p: Packet): void {
  const dW = 2 * (at + Row.DIRECTION_AT + endpoint * Row.DIRECTION_CELLS)
  const flags = p.flags
  w[dW + Row.D_ACK_W] += (flags & ACK) >> 4
  w[dW + Row.D_PSH_W] += (flags & PSH) >> 3
  if ((flags & ~(ACK | PSH)) !== 0) countRareFlags(w, dW, flags)
  if (w[dW + Row.D_INIT_WINDOW_W] >>> 16 === 0) noteWindow(w, at, endpoint, p.window)
  // A header in pieces may end before its window.
  if (p.window === 0 && p.l4HeaderLen >= TCP_WINDOW_END && (flags & (RST | SYN)) === 0) {
    w[dW + Row.D_ZERO_WINDOWS_W]++
    noteLetter(w, at, endpoint, 'w')
  }
  trackSequence(w, at, endpoint, p)
  noteTcpState(w, at, endpoint, p)
}

function noteWindow(w: Uint32Array, at: number, endpoint: number, window: number): void {
  const windowW = 2 * (at + Row.DIRECTION_AT + endpoint * Row.DIRECTION_CELLS) + Row.D_INIT_WINDOW_W
  const stateW = at * 2 + Row.STATE_W
  if ((w[stateW] & (Row.WINDOW_KNOWN << endpoint)) === 0) w[windowW] = window
  w[windowW] |= window << 16
  w[stateW] |= Row.WINDOW_KNOWN << endpoint
}

function countRareFlags(w: Uint32Array, dW: number, flags: number): void {
  w[dW + Row.D_FIN_W] += flags & FIN
  w[dW + Row.D_SYN_W] += (flags & SYN) >> 1
  w[dW + Row.D_RST_W] += (flags & RST) >> 2
  w[dW + Row.D_URG_W] += (flags & URG) >> 5
  w[dW + Row.D_ECE_W] += (flags & ECE) >> 6
  w[dW + Row.D_CWR_W] += (flags & CWR) >> 7
  if ((flags & (SYN | ACK)) === (SYN | ACK)) w[dW + Row.D_SYN_ACK_W]++
}

/**
 * A retransmission starts below the highest sequence number sent (FEATURES.md A11). A keep-alive, one octet or none just below it
 * on a quiet line (RFC 9293, section 3.8.4), is none.
 */
function trackSequence(w: Uint32Array, at: number, endpoint: number, p: Packet): void {
  const sequenceLen = p.payloadLen + ((p.flags & SYN) >> 1) + (p.flags & FIN)
  if (sequenceLen === 0) return
  const dW = 2 * (at + Row.DIRECTION_AT + endpoint * Row.DIRECTION_CELLS)
  const stateW = at * 2 + Row.STATE_W
  const nextW = at * 2 + Row.NEXT_SEQ_W + endpoint
  const endSeq = (p.seq + sequenceLen) | 0
  if ((w[stateW] & (Row.SEQ_KNOWN << endpoint)) === 0) {
    w[stateW] |= Row.SEQ_KNOWN << endpoint
    w[nextW] = endSeq
    return
  }
  const ahead = (p.seq - w[nextW]) | 0
  if (ahead > 0) openHole(w, at, endpoint, w[nextW], ahead)
  else if (ahead < 0) {
    if ((w[stateW] & (Row.HOLE_OPEN << endpoint)) !== 0) fillHole(w, at, endpoint, p.seq, sequenceLen)
    const isKeepAlive = ahead === -1 && p.payloadLen <= 1 && (p.flags & (SYN | FIN)) === 0
    if (!isKeepAlive) {
      w[dW + Row.D_RETRANSMITTED_W]++
      noteLetter(w, at, endpoint, 't')
    }
  }
  if (((endSeq - w[nextW]) | 0) > 0) w[nextW] = endSeq
}

/** The endpoint's bits in the state word, Zeek's letters, and whether the connection is established or closed. */
function noteTcpState(w: Uint32Array, at: number, endpoint: number, p: Packet): void {
  const stateW = at * 2 + Row.STATE_W
  const { flags } = p
  const before = w[stateW]
  const seen = Row.SEEN | seenByFlags(flags, p.payloadLen > 0)
  const state = before | (seen << endpoint)
  // Nearly every packet of a connection brings nothing new here; before the handshake is done, any acknowledgement may end it.
  if (state === before && (flags & (SYN | FIN | RST)) === 0 && (state & Row.TCP_STATE_MASK) >> Row.TCP_STATE_SHIFT !== Row.TCP_NEW) return
  noteLetters(w, at, endpoint, p, before)
  w[stateW] = advanceTcpState(state, before, endpoint, flags)
}

/** ACK_SEEN is of a pure ACK, which Zeek's history tells from the acknowledgement that all segments carry. */
function seenByFlags(flags: number, hasData: boolean): number {
  let seen = hasData ? Row.DATA_SEEN : 0
  if ((flags & (SYN | FIN | RST)) === 0) return hasData || (flags & ACK) === 0 ? seen : Row.ACK_SEEN
  if ((flags & (SYN | ACK)) === SYN) seen |= Row.SYN_SEEN
  if ((flags & (SYN | ACK)) === (SYN | ACK)) seen |= Row.SYN_ACK_SEEN
  if ((flags & FIN) !== 0) seen |= Row.FIN_SEEN
  if ((flags & RST) !== 0) seen |= Row.RST_SEEN
  return seen
}

function advanceTcpState(state: number, before: number, endpoint: number, flags: number): number {
  let tcp = (state & Row.TCP_STATE_MASK) >> Row.TCP_STATE_SHIFT
  const other = 1 - endpoint
  let next = state
  if (tcp === Row.TCP_NEW) {
    const isHandshakeDone = (flags & ACK) !== 0 && (flags & RST) === 0 && (state & (Row.SYN_ACK_SEEN << other)) !== 0
    const isMidStream = (state & (Row.SEEN << other)) !== 0 && (state & (Row.SYN_SEEN * 3)) === 0 && (state & (Row.DATA_SEEN * 3)) !== 0
    if (isHandshakeDone || isMidStream) tcp = Row.TCP_ESTABLISHED
    if (isHandshakeDone && (state & (Row.SYN_SEEN << endpoint)) !== 0) next |= Row.ACKS_COUNTED
  }
  if ((flags & RST) !== 0) {
    if (tcp !== Row.TCP_CLOSED) next |= Row.CLOSED_BY_RST
    // An endpoint that has sent its FIN is closed, not reset, by an RST after it (Zeek, TCP.cc).
    if ((before & (Row.RST_SEEN * 3)) === 0 && (before & (Row.FIN_SEEN << endpoint)) === 0) next |= Row.RST_FIRST << endpoint
    tcp = Row.TCP_CLOSED
  } else if ((state & (Row.FIN_SEEN * 3)) === Row.FIN_SEEN * 3) {
    tcp = Row.TCP_CLOSED
  }
  return (next & ~Row.TCP_STATE_MASK) | (tcp << Row.TCP_STATE_SHIFT)
}

function noteLetters(w: Uint32Array, at: number, endpoint: number, p: Packet, before: number): void {
  const flags = p.flags
  const already = before >>> endpoint
  if ((flags & SYN) !== 0) {
    const isSynAck = (flags & ACK) !== 0
    if ((already & (isSynAck ? Row.SYN_ACK_SEEN : Row.SYN_SEEN)) === 0) noteLetter(w, at, endpoint, isSynAck ? 'h' : 's')
  }
  if (p.payloadLen > 0 && (already & Row.DATA_SEEN) === 0) noteLetter(w, at, endpoint, 'd')
  else if (p.payloadLen === 0 && (flags & (SYN | FIN | RST | ACK)) === ACK && (already & Row.ACK_SEEN) === 0)
    noteLetter(w, at, endpoint, 'a')
  if ((flags & FIN) !== 0 && (already & Row.FIN_SEEN) === 0) noteLetter(w, at, endpoint, 'f')
  if ((flags & RST) !== 0 && (already & Row.RST_SEEN) === 0) noteLetter(w, at, endpoint, 'r')
}
