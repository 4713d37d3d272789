import { describe, expect, it } from 'vitest'
import { NetworkSet } from '../../src/base/address.ts'
import { Context } from '../../src/context/context.ts'
import type { Flow } from '../../src/flow/flow.ts'
import { ICMP } from '../../src/flow/flow.ts'
import { defaultScoreOptions } from '../../src/score/options.ts'
import { Orienter } from '../../src/score/orientation.ts'
import { datagram, datagramAnswered, flags, flow, range, refused, session, unanswered } from './flows.ts'

const A = '10.0.0.7'
const B = '198.51.100.4'
const midstream = (port: number, clientPort: number, over: Partial<Flow> = {}): Flow =>
  flow(
    { client: A, server: B, port, clientPort, at: 0 },
    {
      directionBasis: 'first_packet',
      firstFlags: 0x10,
      packets: [3, 3],
      payloadBytes: [100, 100],
      flags: [flags({ ack: 3 }), flags({ ack: 3 })],
      ...over,
    },
  )

function orienter(flows: readonly Flow[] = []): { it: Orienter; context: Context } {
  const context = new Context(defaultScoreOptions().context, new Set())
  const it = new Orienter(new NetworkSet(['10.0.0.0/8']), context.services)
  for (const f of flows) context.observe(it.judge(f, null))
  return { it, context }
}

describe('orientation: who is the client', () => {
  it.each<[string, Flow, string, string]>([
    ['a SYN', unanswered({ client: B, server: A, port: 50_000, clientPort: 80, at: 0 }), B, 'syn'],
    ['a SYN-ACK', { ...session({ client: A, server: B, port: 443, at: 0 }), directionBasis: 'synack' }, A, 'synack'],
    ['a service port on the responder', midstream(443, 50_000), A, 'port'],
    ['a service port on the initiator: the server half', midstream(50_000, 443), B, 'port'],
    ['no service port, midway: the lower port is the server', midstream(50_000, 40_000), B, 'guess'],
    [
      'no service port, a datagram: the first sender asks',
      datagram({ client: A, server: B, port: 40_000, clientPort: 50_000, at: 0 }),
      A,
      'guess',
    ],
    [
      'a FIN probe: the sender',
      midstream(50_000, 40_000, { firstFlags: 1, packets: [1, 0], payloadBytes: [0, 0], flags: [flags({ fin: 1 }), flags()] }),
      A,
      'guess',
    ],
    [
      'a lone reset is an answer',
      midstream(40_000, 50_000, { firstFlags: 4, packets: [1, 0], payloadBytes: [0, 0], flags: [flags({ rst: 1 }), flags()] }),
      B,
      'guess',
    ],
  ])('%s', (_name, f, client, how) => {
    const judged = orienter().it.judge(f, null)
    expect([judged.addr[0], judged.orientation.how]).toEqual([client, how])
  })

  it('the server table decides where ports cannot, once three clients were answered', () => {
    const served = (n: number): Flow[] => range(n).map((i) => session({ client: `10.0.1.${i}`, server: A, port: 50_000, at: i }))
    const f = midstream(40_000, 50_000)
    expect(orienter(served(2)).it.judge(f, null).orientation.how).toBe('guess')
    const judged = orienter(served(3)).it.judge(f, null)
    expect([judged.orientation.how, judged.addr[1], judged.port[1]]).toEqual(['table', A, 50_000])
  })

  it('swaps every pair together', () => {
    const judged = orienter().it.judge(midstream(50_000, 443, { packets: [5, 3], payloadBytes: [900, 40] }), null)
    expect([judged.addr, judged.port, judged.packets, judged.payloadBytes]).toEqual([
      [B, A],
      [50_000, 443],
      [3, 5],
      [40, 900],
    ])
    expect(judged.orientation.halves).toBe('both')
  })

  it('a server half alone is no failure', () => {
    const judged = orienter().it.judge(
      midstream(49_210, 443, { packets: [9, 0], payloadBytes: [5e6, 0], flags: [flags({ ack: 9 }), flags()] }),
      null,
    )
    expect([judged.orientation.halves, judged.outcome]).toEqual(['resp', 'unclear'])
  })
})

describe('orientation: how it ended', () => {
  const ends = { client: A, server: B, port: 80, at: 0 }
  it.each<[string, Flow, string, string | null]>([
    ['SYN, silence', unanswered(ends), 'failed', 'silent'],
    ['SYN, reset', refused(ends), 'failed', 'refused'],
    ['SYN, ICMP unreachable', { ...unanswered(ends), icmpErrors: 1 }, 'failed', 'unreachable'],
    [
      'SYN, SYN-ACK, reset by the client: an open port',
      flow(ends, { packets: [2, 1], flags: [flags({ syn: 1, rst: 1 }), flags({ syn: 1, synAck: 1, ack: 1 })] }),
      'answered',
      null,
    ],
    [
      'SYN, SYN-ACK, reset by the server',
      flow(ends, { packets: [2, 2], flags: [flags({ syn: 1, ack: 1 }), flags({ syn: 1, synAck: 1, ack: 1, rst: 1 })] }),
      'failed',
      'refused',
    ],
    ['a session', session(ends), 'answered', null],
    [
      'a session whose server resets at the end',
      { ...session(ends), flags: [flags({ syn: 1, ack: 4 }), flags({ syn: 1, synAck: 1, ack: 4, rst: 1 })] },
      'answered',
      null,
    ],
    [
      'SYN and an ACK of what we did not see',
      flow(ends, { packets: [2, 0], flags: [flags({ syn: 1, ack: 1 }), flags()] }),
      'unclear',
      null,
    ],
    ['a later piece', { ...unanswered(ends), isContinuation: true }, 'unclear', null],
    ['lone ACK', flow(ends, { directionBasis: 'first_packet', firstFlags: 0x10, flags: [flags({ ack: 1 }), flags()] }), 'failed', 'probe'],
    [
      'XMAS, reset',
      flow(ends, { directionBasis: 'first_packet', firstFlags: 0x29, packets: [1, 1], flags: [flags({ fin: 1 }), flags({ rst: 1 })] }),
      'failed',
      'refused',
    ],
    [
      'keep-alive answered by ACK',
      flow(ends, { directionBasis: 'first_packet', firstFlags: 0x10, packets: [1, 1], flags: [flags({ ack: 1 }), flags({ ack: 1 })] }),
      'unclear',
      null,
    ],
    ['DNS without reply', datagram({ ...ends, port: 53 }), 'failed', 'silent'],
    ['syslog', datagram({ ...ends, port: 514 }), 'unclear', null],
    ['DNS', datagramAnswered({ ...ends, port: 53 }), 'answered', null],
    ['DNS answered, a late reply then unreachable', { ...datagramAnswered({ ...ends, port: 53 }), icmpErrors: 1 }, 'answered', null],
    ['replies not measured', { ...unanswered(ends), packets: [1, null] }, 'unclear', null],
    ['echo without reply', datagram(ends, { proto: ICMP, port: [8, 0] }), 'failed', 'silent'],
  ])('%s', (_name, f, outcome, failure) => {
    const judged = orienter().it.judge(f, null)
    expect([judged.outcome, judged.failure]).toEqual([outcome, failure])
  })

  it('silence is a gap where both directions are seldom seen; a refusal stays a fact', () => {
    const { it: o } = orienter()
    expect(o.judge(unanswered(ends), 0.5).outcome).toBe('unclear')
    expect(o.judge(unanswered(ends), 0.9).outcome).toBe('failed')
    expect(o.judge(refused(ends), 0.5).outcome).toBe('failed')
  })

  it('direction is unknown until an inside address was seen', () => {
    const { it: o } = orienter()
    const foreign = unanswered({ client: B, server: '203.0.113.5', port: 80, at: 0 })
    expect(o.judge(foreign, null).direction).toBe('unknown')
    expect(o.judge(unanswered({ ...ends, client: B, server: A }), null).direction).toBe('in')
    expect(o.judge(foreign, null).direction).toBe('ext')
    expect(o.judge(unanswered(ends), null).direction).toBe('out')
    expect(o.judge(unanswered({ ...ends, server: '10.9.9.9' }), null).direction).toBe('lat')
  })
})
