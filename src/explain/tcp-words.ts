/**
 * TCP flags and Zeek's conn_state in words.
 *
 * In:  a flags octet, a conn_state. Out: short text for tables and pictures. Source: RFC 9293; Zeek, conn/main.zeek.
 */

const FLAG_LETTERS: readonly [number, string, string][] = [
  [0x02, 'S', 'SYN'],
  [0x01, 'F', 'FIN'],
  [0x04, 'R', 'RST'],
  [0x08, 'P', 'PSH'],
  [0x20, 'U', 'URG'],
  [0x10, 'A', 'ACK'],
  [0x40, 'E', 'ECE'],
  [0x80, 'C', 'CWR'],
]

/** 'SA', 'PA', '·' for none: tcpdump's letters without its dot for ACK. */
export function flagLetters(flags: number): string {
  const letters = FLAG_LETTERS.filter(([bit]) => (flags & bit) === bit).map(([, letter]) => letter)
  return letters.length === 0 ? '·' : letters.join('')
}

/** 'SYN ACK', or 'none'. */
export function flagNames(flags: number): string {
  const names = FLAG_LETTERS.filter(([bit]) => (flags & bit) === bit).map(([, , name]) => name)
  return names.length === 0 ? 'none' : names.join(' ')
}

const CONN_STATES: Readonly<Record<string, string>> = {
  S0: 'attempt without an answer',
  S1: 'established, not closed',
  SF: 'established and closed in order',
  REJ: 'attempt refused',
  S2: 'established, close by the initiator unanswered',
  S3: 'established, close by the responder unanswered',
  RSTO: 'established, reset by the initiator',
  RSTR: 'established, reset by the responder',
  RSTOS0: 'attempt, then reset by the initiator, no answer seen',
  RSTRH: 'answer then reset by the responder, no SYN seen',
  SH: 'SYN then FIN by the initiator, no answer seen (half open)',
  SHR: 'answer then FIN by the responder, no SYN seen',
  OTH: 'seen from the middle on',
}

/** Zeek's letters, ours and those of logs that are read. */
const HISTORY_LETTERS: Readonly<Record<string, string>> = {
  s: 'SYN',
  h: 'SYN with ACK',
  a: 'ACK',
  d: 'data',
  f: 'FIN',
  r: 'RST',
  t: 'data sent again',
  w: 'no room to receive',
  c: 'wrong checksum',
  g: 'a gap',
  i: 'flags that contradict each other',
  q: 'many flags at once',
}

/** The meaning of each letter that is there, in the order of a connection: 's SYN, h SYN with ACK'. */
export function historyLegend(histories: readonly string[]): string {
  const seen = new Set(histories.join('').toLowerCase())
  const known = Object.entries(HISTORY_LETTERS).filter(([letter]) => seen.has(letter))
  return [...known.map(([letter, meaning]) => `${letter} ${meaning}`), ...(seen.has('^') ? ['^ the two ends were changed over'] : [])].join(
    ', ',
  )
}

/** The same letters where nothing is opened or closed: datagrams and echoes. */
const DATAGRAM_STATES: Readonly<Record<string, string>> = {
  S0: 'nothing came back',
  SF: 'both sides sent',
  SHR: 'only the responder was seen',
}

export function datagramStateText(state: string): string | null {
  return Object.hasOwn(DATAGRAM_STATES, state) ? DATAGRAM_STATES[state] : null
}

export function connStateText(state: string): string | null {
  return Object.hasOwn(CONN_STATES, state) ? CONN_STATES[state] : null
}
