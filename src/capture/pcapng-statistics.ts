/**
 * An interface statistics block of a pcapng file as a record of a slab: a tick or a loss record (slab.ts), as pcapng-writer.ts wrote it.
 *
 *   type u32 | total length u32 | interface u32 | time high u32 | time low u32 | options … | total length u32
 *
 * In:  a whole block, and its time. Out: a record in place of it, never longer than the block.
 * Not: blocks without the counters that a loss record holds, such as those with a comment only: they give nothing.
 */
import { putU32le, putU64le, u16, u16le, u32, u32le } from '../base/bytes.ts'
import { GAP_COMMENT, ISB_FILTERACCEPT, ISB_IFDROP, ISB_OSDROP, TICK_COMMENT } from './pcapng-writer.ts'
import {
  LOSS,
  LOSS_BY_INTERFACE,
  LOSS_BY_KERNEL,
  LOSS_LEN,
  LOSS_RECEIVED,
  REC_CAP_LEN,
  REC_HEADER_LEN,
  REC_NSEC,
  REC_SEC,
  REC_WIRE_LEN,
  TICK,
} from './slab.ts'

const OPTIONS = 20
const OPTION_END = 0
const OPT_COMMENT = 1
const COUNTER_LEN = 8
/** Of a comment, what is looked at. */
const COMMENT_LEN_MAX = 80
const BLOCK_LEN_MIN = OPTIONS + 4
const LOSS_BLOCK_LEN_MIN = REC_HEADER_LEN + LOSS_LEN

export interface BlockTime {
  sec: number
  nsec: number
}

/**
 * @param out where the record goes; at or before the block's first octet
 * @returns length of the record written; 0 for none
 */
export function takeStatistics(b: Uint8Array, at: number, len: number, isBigEndian: boolean, time: BlockTime, out: number): number {
  if (len < BLOCK_LEN_MIN) return 0
  const half = isBigEndian ? u16 : u16le
  const losses = { [ISB_FILTERACCEPT]: 0, [ISB_OSDROP]: 0, [ISB_IFDROP]: 0 }
  let isTick = false
  let hasLosses = false
  for (let option = at + OPTIONS, end = at + len - 4; end - option >= 4; ) {
    const code = half(b, option)
    const optionLen = half(b, option + 2)
    const value = option + 4
    if (code === OPTION_END || end - value < optionLen) break
    if (code === OPT_COMMENT) isTick ||= isTickComment(b, value, optionLen)
    else if ((code === ISB_FILTERACCEPT || code === ISB_OSDROP || code === ISB_IFDROP) && optionLen === COUNTER_LEN) {
      losses[code] = counterAt(b, value, isBigEndian)
      hasLosses = true
    }
    option = value + ((optionLen + 3) & ~3)
  }
  if (isTick) return putHeader(b, out, time, 0, TICK)
  if (!hasLosses || len < LOSS_BLOCK_LEN_MIN) return 0
  const body = out + REC_HEADER_LEN
  putU64le(b, body + LOSS_RECEIVED, losses[ISB_FILTERACCEPT])
  putU64le(b, body + LOSS_BY_KERNEL, losses[ISB_OSDROP])
  putU64le(b, body + LOSS_BY_INTERFACE, losses[ISB_IFDROP])
  return putHeader(b, out, time, LOSS_LEN, LOSS)
}

/** Packets that a recording lacks up to this block, as it says itself; 0 when it says nothing. */
export function missingPackets(b: Uint8Array, at: number, len: number, isBigEndian: boolean): number {
  const half = isBigEndian ? u16 : u16le
  const first = at + OPTIONS
  if (len < BLOCK_LEN_MIN || half(b, first) !== OPT_COMMENT) return 0
  const text = String.fromCharCode(
    ...b.subarray(first + 4, Math.min(first + 4 + half(b, first + 2), at + len - 4, first + 4 + COMMENT_LEN_MAX)),
  )
  const count = text.startsWith(GAP_COMMENT) ? Number(text.slice(GAP_COMMENT.length)) : 0
  return Number.isSafeInteger(count) && count > 0 ? count : 0
}

function counterAt(b: Uint8Array, at: number, isBigEndian: boolean): number {
  const first = isBigEndian ? u32(b, at) : u32le(b, at + 4)
  const second = isBigEndian ? u32(b, at + 4) : u32le(b, at)
  return first * 2 ** 32 + second
}

function isTickComment(b: Uint8Array, at: number, len: number): boolean {
  if (len !== TICK_COMMENT.length) return false
  for (let i = 0; i < len; i++) if (b[at + i] !== TICK_COMMENT.charCodeAt(i)) return false
  return true
}

function putHeader(b: Uint8Array, out: number, { sec, nsec }: BlockTime, capLen: number, wireLen: number): number {
  putU32le(b, out + REC_SEC, sec)
  putU32le(b, out + REC_NSEC, nsec)
  putU32le(b, out + REC_CAP_LEN, capLen)
  putU32le(b, out + REC_WIRE_LEN, wireLen)
  return REC_HEADER_LEN + capLen
}
