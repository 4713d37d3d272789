/** A kept flow has one side first, the client's: all that names a side turns with it. */
import { describe, expect, it } from 'vitest'
import type { Flow } from '../../src/flow/flow.ts'
import { keptFlow } from '../../src/score/kept-flow.ts'
import type { Judged } from '../../src/score/orientation.ts'
import { session } from './flows.ts'

const reader = { featureVector: () => ({}), timeline: () => [], communityId: () => '1:x' }

function kept(flow: Flow, isTurned: boolean) {
  const pair = <T>([a, b]: readonly [T, T]): [T, T] => (isTurned ? [b, a] : [a, b])
  const judged = { flow, addr: pair(flow.addr), port: pair(flow.port), packets: pair(flow.packets), payloadBytes: pair(flow.payloadBytes) }
  return keptFlow(judged as unknown as Judged, reader, 0)
}

const flow = session({ client: '10.0.0.1', server: '10.0.0.2', port: 443, at: 0 })

describe('kept flow', () => {
  it.each([
    [6, 'RSTO', 'RSTR'],
    [6, 'S2', 'S3'],
    [6, 'SHR', 'SH'],
    [6, 'SF', 'SF'],
    [6, 'S0', 'S0'],
    [17, 'S0', 'SHR'],
    [17, 'SHR', 'S0'],
    [17, 'SF', 'SF'],
  ])('protocol %i: %s from the other end is %s', (proto, connState, turned) => {
    const one = { ...flow, proto, connState, history: 'ShAdR' }
    expect(kept(one, false)).toMatchObject({ addr: ['10.0.0.1', '10.0.0.2'], connState, history: 'ShAdR' })
    expect(kept(one, true)).toMatchObject({ addr: ['10.0.0.2', '10.0.0.1'], connState: turned, history: 'sHaDr' })
    expect(kept({ ...one, connState: null, history: null }, true)).toMatchObject({ connState: null, history: null })
  })
})
