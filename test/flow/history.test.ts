/** Zeek's conn_state and history, case by case. */
import { describe, expect, test } from 'vitest'
import type { Frame } from '../capture/records.ts'
import { conversation } from './conversation.ts'
import { meterFrames } from './run-meter.ts'

/** `'>S <SA >A'`: who sends which flags; a number behind the flags is payload, `w0` a window of zero, `again` the last sequence number. */
function script(text: string): Frame[] {
  const c = conversation()
  const seqs: Record<string, number> = { '>': 100, '<': 900 }
  const before: Record<string, number> = { ...seqs }
  return text.split(' ').map((word, i) => {
    const [, arrow, flags, payload, rest] = /^([<>])([A-Z]+)(\d*)(.*)$/.exec(word) ?? []
    if (arrow !== '>' && arrow !== '<') throw new Error(`not a packet: ${word}`)
    const len = Number(payload || 0)
    const seq = rest.includes('again') ? before[arrow] : seqs[arrow]
    before[arrow] = seq
    seqs[arrow] = Math.max(seqs[arrow], seq + len + (flags.includes('S') ? 1 : 0) + (flags.includes('F') ? 1 : 0))
    return c.tcp(i / 100, arrow, flags, len, { seq, window: rest.includes('w0') ? 0 : 1000 })
  })
}

describe('conn_state', () => {
  test.each([
    ['S0', '>S'],
    ['S0', '>S >Sagain >Sagain'],
    ['S1', '>S <SA'],
    ['S1', '>S <SA >A >PA10 <A'],
    ['SF', '>S <SA >A >FA <FA >A'],
    ['SF', '>S <SA >A <FA >FA <A'],
    ['SF', '>S <SA >A >FA <FA <R'],
    ['SF', '>S <SA >A >FA <FA >R'],
    ['REJ', '>S <RA'],
    ['REJ', '>S >Sagain <RA'],
    ['S2', '>S <SA >A >FA'],
    ['S2', '>S <SA >A >FA <A'],
    ['S3', '>S <SA >A <FA'],
    ['RSTO', '>S <SA >R'],
    ['RSTO', '>S <SA >A >PA10 >RA'],
    ['RSTO', '>S <SA >A <FA >R'],
    ['RSTR', '>S <SA >A <R'],
    ['RSTR', '>S <SA >A >FA <R'],
    ['RSTOS0', '>S >R'],
    ['RSTRH', '<SA <R'],
    ['SH', '>S >F'],
    ['SHR', '<SA <F'],
    ['OTH', '>A'],
    ['OTH', '>PA10 <A'],
    ['OTH', '>PA10 <PA10 >FA <FA'],
    ['OTH', '>R'],
    ['OTH', '<SA'],
  ])('%s: %s', (state, text) => {
    const { rows } = meterFrames(script(text))
    expect(rows.map((r) => r.connState)).toEqual([state])
  })

  test.each([
    ['UDP, one way', 'S0', ['>'] as const],
    ['UDP, both ways', 'SF', ['>', '<'] as const],
  ])('%s: %s', (_, state, arrows) => {
    const c = conversation()
    const { rows } = meterFrames(arrows.map((arrow, i) => c.udp(i, arrow)))
    expect(rows.map((r) => r.connState)).toEqual([state])
    expect(rows[0].history).toBe('')
  })
})

describe('history', () => {
  test.each([
    ['S', '>S'],
    ['ShADadFf', '>S <SA >A >PA10 <A <PA10 >FA <FA'],
    ['ShADdaFf', '>S <SA >A >PA10 <PA10 <A >FA <FA'],
    // A segment with payload acknowledges too, but only a pure ACK is an A.
    ['ShDdAa', '>S <SA >PA10 <PA10 >A <A'],
    ['Sr', '>S <RA'],
    ['ShR', '>S <SA >R'],
    ['hAD', '<SA >A >PA5'],
    ['ShAt', '>S <SA >A <SAagain'],
    ['ShADT', '>S <SA >A >PA10 >PA10again'],
    ['ShAwa', '>S <SA >A <Aw0'],
  ])('%s: %s', (history, text) => {
    const { rows } = meterFrames(script(text))
    expect(rows.map((r) => r.history)).toEqual([history])
  })

  test('t stands at the first, tenth and hundredth retransmission', () => {
    const c = conversation()
    const resend = (n: number): Frame[] => [
      c.tcp(0, '>', 'PA', 10, { seq: 1 }),
      ...Array.from({ length: n }, (_, i) => c.tcp(1 + i / 100, '>', 'PA', 10, { seq: 1 })),
    ]
    const letters = [1, 9, 10, 99, 100].map((n) => meterFrames(resend(n)).rows[0].history)
    expect(letters).toEqual(['DT', 'DT', 'DTT', 'DTT', 'DTTT'])
  })

  test('there is an end to its letters, and none to the connection', () => {
    const c = conversation()
    const frames: Frame[] = []
    for (let i = 0; i < 3000; i++) frames.push(c.tcp(i / 1000, i % 2 === 0 ? '>' : '<', 'PA', 10, { seq: 1, window: i % 3 === 0 ? 0 : 1 }))
    const { rows } = meterFrames(frames)
    expect(rows[0].history?.length).toBeLessThanOrEqual(20)
    expect(rows[0].packets).toEqual([1500, 1500])
  })
})

/** `'1+10 11+0F'`: segments at a sequence number with so much payload, and flags beside ACK (and PSH where there is payload). */
function segments(text: string): Frame[] {
  const c = conversation()
  return text.split(' ').map((word, i) => {
    const [seq, len, flags] = /^(\d+)\+(\d+)([A-Z]*)$/.exec(word)?.slice(1) ?? []
    return c.tcp(i / 100, '>', `${flags}${flags === 'S' ? '' : len === '0' ? 'A' : 'PA'}`, Number(len), { seq: Number(seq) })
  })
}

describe('retransmissions and zero windows', () => {
  test.each([
    ['data in order', 0, '1+10 11+10 21+0'],
    ['the same segment again', 1, '1+10 1+10'],
    ['partly new', 1, '1+10 6+10 16+5'],
    ['a hole and its filling', 1, '1+10 21+10 11+10'],
    ['a pure ACK below the highest is none', 0, '1+10 1+0 1+0'],
    ['a keep-alive without an octet is none', 0, '1+10 10+0'],
    ['a keep-alive with one octet is none', 0, '1+10 10+1'],
    ['two octets back is one', 1, '1+10 9+1'],
    ['FIN again', 1, '1+10 11+0F 11+0F'],
    ['SYN again', 2, '1+0S 1+0S 1+0S'],
    ['over the end of the number space', 1, '4294967291+10 5+10 4294967291+10'],
    ['over the middle of the number space', 1, '2147483643+10 2147483653+10 2147483643+10'],
  ])('%s', (_, count, text) => {
    const { rows } = meterFrames(segments(text))
    expect(rows[0].features.fwd_retransmissions).toBe(count)
  })

  test('SYN and RST do not close a window', () => {
    const c = conversation()
    const zero = { window: 0 }
    const { rows } = meterFrames([
      c.tcp(0, '>', 'S', 0, zero),
      c.tcp(0.1, '<', 'SA', 0, zero),
      c.tcp(0.2, '>', 'A', 0, zero),
      c.tcp(0.3, '<', 'PA', 3, zero),
      c.tcp(0.4, '<', 'PA', 3, { window: 5 }),
      c.tcp(0.5, '<', 'R', 0, zero),
    ])
    expect([rows[0].features.fwd_zero_windows, rows[0].features.bwd_zero_windows]).toEqual([1, 1])
    // The first that is not zero, where the responder is asked; the initiator's very first.
    expect([rows[0].features.fwd_init_window, rows[0].features.bwd_init_window]).toEqual([0, 5])
  })
})
