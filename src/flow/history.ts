/**
 * Zeek's connection history and state, from header fields alone.
 *
 * history: one letter an event, upper case from the initiator, lower case from the responder: s SYN, h SYN+ACK, a ACK, d payload,
 * f FIN, r RST, t retransmission, w zero window. t and w stand at the 1st, 10th, 100th … time.
 *
 * In:  a row. Out: letters into it; text out of it (conn_state: base/protocols/conn/main.zeek).
 * Not: c (checksums), g (gaps), i, q and ^. Kept by endpoint, so a direction that is corrected later turns all letters with it.
 */
import * as Row from './row.ts'

const LETTERS = 'shadfrtw'
const LOGARITHMIC = 'tw'
/** Letter index plus one in bits 0–3, endpoint in bit 7. */
const ENDPOINT_BIT = 0x80
const LETTER_MASK = 0x0f

export type HistoryLetter = 's' | 'h' | 'a' | 'd' | 'f' | 'r' | 't' | 'w'

/** Appends a letter while there is room; t and w only at the first, tenth, hundredth … time that way. */
export function noteLetter(w: Uint32Array, at: number, endpoint: number, letter: HistoryLetter): void {
  const lenW = at * 2 + Row.HISTORY_LEN_W
  const len = w[lenW]
  if (len >= Row.HISTORY_LETTERS_MAX) return
  const code = (LETTERS.indexOf(letter) + 1) | (endpoint === 0 ? 0 : ENDPOINT_BIT)
  if (LOGARITHMIC.includes(letter) && !isNextPowerOfTen(w, at, endpoint, letter, countOf(w, at, len, code))) return
  const wordW = at * 2 + Row.HISTORY_W + (len >> 2)
  w[wordW] |= code << ((len & 3) * 8)
  w[lenW] = len + 1
}

function countOf(w: Uint32Array, at: number, len: number, code: number): number {
  let count = 0
  for (let i = 0; i < len; i++) if (codeAt(w, at, i) === code) count++
  return count
}

function codeAt(w: Uint32Array, at: number, index: number): number {
  return (w[at * 2 + Row.HISTORY_W + (index >> 2)] >>> ((index & 3) * 8)) & 0xff
}

/** `written` letters stand already; the next one stands when the event has happened 10^written times. */
function isNextPowerOfTen(w: Uint32Array, at: number, endpoint: number, letter: HistoryLetter, written: number): boolean {
  if (written === 0) return true
  const dW = 2 * (at + Row.DIRECTION_AT + endpoint * Row.DIRECTION_CELLS)
  const happened = letter === 't' ? w[dW + Row.D_RETRANSMITTED_W] : w[dW + Row.D_ZERO_WINDOWS_W]
  return happened >= 10 ** written
}

export function historyOf(w: Uint32Array, at: number): string {
  const len = w[at * 2 + Row.HISTORY_LEN_W]
  const origEndpoint = w[at * 2 + Row.STATE_W] & Row.ORIG_IS_B
  let text = ''
  for (let i = 0; i < len; i++) {
    const code = codeAt(w, at, i)
    const letter = LETTERS[(code & LETTER_MASK) - 1]
    const isOrig = ((code & ENDPOINT_BIT) === 0 ? 0 : 1) === origEndpoint
    text += isOrig ? letter.toUpperCase() : letter
  }
  return text
}

/** Zeek's conn_state of a TCP connection, from who sent SYN, SYN+ACK, FIN and the first RST. */
export function tcpConnState(state: number): string {
  const orig = state & Row.ORIG_IS_B
  const resp = 1 - orig
  const has = (bit: number, endpoint: number): boolean => (state & (bit << endpoint)) !== 0
  const isEstablished = has(Row.SYN_SEEN, orig) && has(Row.SYN_ACK_SEEN, resp)
  if (has(Row.RST_FIRST, orig)) return isEstablished ? 'RSTO' : has(Row.SYN_SEEN, orig) ? 'RSTOS0' : 'OTH'
  if (has(Row.RST_FIRST, resp)) {
    if (isEstablished) return 'RSTR'
    if (has(Row.SYN_SEEN, orig)) return 'REJ'
    return has(Row.SYN_ACK_SEEN, resp) ? 'RSTRH' : 'OTH'
  }
  if (isEstablished) {
    if (has(Row.FIN_SEEN, orig)) return has(Row.FIN_SEEN, resp) ? 'SF' : 'S2'
    return has(Row.FIN_SEEN, resp) ? 'S3' : 'S1'
  }
  if (has(Row.SYN_SEEN, orig)) return has(Row.FIN_SEEN, orig) ? 'SH' : 'S0'
  if (has(Row.SYN_ACK_SEEN, resp)) return has(Row.FIN_SEEN, resp) ? 'SHR' : 'OTH'
  return 'OTH'
}

/** Zeek judges UDP and ICMP by who spoke: S0 only the initiator, SHR only the responder, SF both. */
export function otherConnState(state: number): string {
  const orig = state & Row.ORIG_IS_B
  const origSpoke = (state & (Row.SEEN << orig)) !== 0
  const respSpoke = (state & (Row.SEEN << (1 - orig))) !== 0
  if (origSpoke) return respSpoke ? 'SF' : 'S0'
  return respSpoke ? 'SHR' : 'OTH'
}
