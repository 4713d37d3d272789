/**
 * TCP flags that say only which were seen in a direction: NetFlow's octet, nfdump's letters, Zeek's history.
 *
 * In:  a set of flags. Out: FlagCounts of 0 and 1.
 * Not: who began: a whole connection's octet holds SYN and ACK on both sides.
 */
import { ACK, CWR, ECE, FIN, PSH, RST, SYN, URG } from '../../decode/packet.ts'
import type { FlagCounts, Pair } from '../../flow/flow.ts'
import { noFlags } from './foreign-flow.ts'

const LETTERS: Readonly<Record<string, number>> = { C: CWR, E: ECE, U: URG, A: ACK, P: PSH, R: RST, S: SYN, F: FIN }
const LETTERED = /^[.CEUAPRSFX]{6,8}$/

/** An octet as a number, in hexadecimal, or in nfdump's letters; null for what is none of them. */
export function flagOctet(text: string): number | null {
  if (LETTERED.test(text)) return [...text].reduce((octet, letter) => octet | (LETTERS[letter] ?? 0), 0)
  const value = Number(text)
  return Number.isInteger(value) && value >= 0 ? value & 0xff : null
}

export function seenFlags(octet: number): FlagCounts {
  const one = (mask: number): number => ((octet & mask) === 0 ? 0 : 1)
  return {
    fin: one(FIN),
    syn: one(SYN),
    rst: one(RST),
    psh: one(PSH),
    ack: one(ACK),
    urg: one(URG),
    ece: one(ECE),
    cwr: one(CWR),
    synAck: 0,
  }
}

/** Both directions in one octet: the SYN was the initiator's, and what answered it follows from what came back. */
export function unionFlags(octet: number, isAnswered: boolean): Pair<FlagCounts> {
  const all = seenFlags(octet)
  if (!isAnswered) return [all, noFlags()]
  // A closed port answers with RST and nothing else: neither FIN nor PSH is in the octet then.
  if (all.rst === 1 && all.fin === 0 && all.psh === 0)
    return [
      { ...all, rst: 0, ack: 0 },
      { ...noFlags(), rst: 1, ack: 1 },
    ]
  return [
    { ...all, synAck: 0 },
    { ...all, synAck: all.syn & all.ack },
  ]
}
