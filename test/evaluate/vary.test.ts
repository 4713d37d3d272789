import { describe, expect, it } from 'vitest'
import { putU32le, u32le } from '../../src/base/bytes.ts'
import { REC_CAP_LEN, REC_HEADER_LEN, REC_SEC, REC_WIRE_LEN, type Slab } from '../../src/capture/slab.ts'
import { hex as octets } from '../hex.ts'
import { VARIATIONS, type Vary } from './vary.ts'

const ETHERNET = 1
/** 192.168.1.10 → 10.0.0.9, UDP, from card …02 to card …01. */
const FRAME = '020000000001 020000000002 0800 4500001c 00000000 40110000 c0a8010a 0a000009 1000 0035 0008 0000'
/** The same host asks who has 10.0.0.9. */
const ARP = 'ffffffffffff 020000000002 0806 0001 0800 06 04 0001 020000000002 c0a8010a 000000000000 0a000009'

function slabOf(frames: readonly string[], linkType = ETHERNET): Slab {
  const parts = frames.map((hex, i) => {
    const frame = octets(hex)
    const record = new Uint8Array(REC_HEADER_LEN + frame.length)
    putU32le(record, REC_SEC, 100 + i)
    putU32le(record, REC_CAP_LEN, frame.length)
    putU32le(record, REC_WIRE_LEN, frame.length)
    record.set(frame, REC_HEADER_LEN)
    return record
  })
  const bytes = Uint8Array.from(parts.flatMap((part) => [...part]))
  return { bytes, start: 0, end: bytes.length, linkType, interfaceId: 0 }
}

interface Seen {
  sec: number
  capLen: number
  hex: string
}

function recordsOf(slab: Slab): Seen[] {
  const records: Seen[] = []
  for (let at = slab.start; at < slab.end; ) {
    const capLen = u32le(slab.bytes, at + REC_CAP_LEN)
    const frame = slab.bytes.subarray(at + REC_HEADER_LEN, at + REC_HEADER_LEN + capLen)
    records.push({ sec: u32le(slab.bytes, at + REC_SEC), capLen, hex: Buffer.from(frame).toString('hex') })
    at += REC_HEADER_LEN + capLen
  }
  return records
}

function vary(name: string, packets = 0): Vary {
  const variation = VARIATIONS.find((one) => one.name === name)
  if (variation === undefined) throw new Error(name)
  return variation.make(packets)
}

describe('variations of a capture', () => {
  it('stretches time from its first packet on, over slabs', () => {
    const it = vary('three times as slow')
    const first = recordsOf(it.slab(slabOf([FRAME, FRAME])))
    const second = recordsOf(it.slab(slabOf([FRAME, FRAME, FRAME])))
    expect([...first, ...second].map(({ sec }) => sec)).toEqual([100, 103, 100, 103, 106])
  })

  it('keeps the half that it is asked for', () => {
    const frames = [0, 1, 2, 3].map(() => FRAME)
    expect(recordsOf(vary('first half only', 4).slab(slabOf(frames))).map(({ sec }) => sec)).toEqual([100, 101])
    expect(recordsOf(vary('begun midway', 4).slab(slabOf(frames))).map(({ sec }) => sec)).toEqual([102, 103])
  })

  it('loses the same packets each time', () => {
    const frames = Array.from({ length: 500 }, () => FRAME)
    const lost = (): number[] => recordsOf(vary('20 % of packets lost').slab(slabOf(frames))).map(({ sec }) => sec)
    expect(lost()).toEqual(lost())
    expect(lost().length).toBeGreaterThan(370)
    expect(lost().length).toBeLessThan(430)
  })

  it('moves hosts outside, in IP, in ARP and in what errors quote, and knows the way back', () => {
    const it = vary('all hosts outside')
    const quoted = `020000000001 020000000002 0800 45000038 00000000 40010000 0a000009 c0a8010a 0301 0000 00000000 ${FRAME.slice(FRAME.indexOf('4500'))}`
    const [udp, arp, error] = recordsOf(it.slab(slabOf([FRAME, ARP, quoted])))
    expect(udp.hex).toContain('53a8010a51000009')
    expect(arp.hex).toMatch(/020000000002 53a8010a 000000000000 51000009/.source.replaceAll(' ', ''))
    expect(error.hex).toContain('5100000953a8010a')
    expect(error.hex).toContain('53a8010a51000009')
    expect([it.recordedOf('83.168.1.10'), it.recordedOf('81.0.0.9'), it.recordedOf('1.2.3.4')]).toEqual([
      '192.168.1.10',
      '10.0.0.9',
      '1.2.3.4',
    ])
  })

  it('tags all, or one way', () => {
    const back = FRAME.replace('020000000001 020000000002', '020000000002 020000000001')
    const tag = '81000078'
    const isTagged = (name: string): boolean[] =>
      recordsOf(vary(name).slab(slabOf([FRAME, back]))).map(({ hex, capLen }) => hex.startsWith(tag, 24) && hex.length === 2 * capLen)
    expect(isTagged('tagged')).toEqual([true, true])
    expect(isTagged('tagged one way')).toEqual([true, false])
  })

  it('says when it does not apply', () => {
    const raw = vary('tagged')
    raw.slab(slabOf([FRAME], 101))
    const ethernet = vary('tagged')
    ethernet.slab(slabOf([FRAME]))
    expect([raw.isApplied, ethernet.isApplied]).toEqual([false, true])
  })
})
