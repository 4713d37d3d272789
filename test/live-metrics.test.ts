/**
 * The metrics page: names, labels and every counter that the stages keep; checked by promtool where it is (Debian: prometheus).
 */
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { DROP_REASONS } from '../src/decode/drop-reason.ts'
import { tableLimits } from '../src/flow/limits.ts'
import { END_REASONS } from '../src/flow/row.ts'
import { FlowTable } from '../src/flow/table.ts'
import type { InterfaceFacts } from '../src/live/metering.ts'
import { LiveMetrics, type LiveState, METRICS, notReady, snakeCase } from '../src/live/metrics.ts'
import { openAnalyst } from '../src/sensor.ts'

const config = loadConfig({})
const hasPromtool = spawnSync('promtool', ['--version']).status === 0

/** Every counter with a value of its own: what is mixed up is seen. */
let next = 1000
const value = (): number => next++

function device(name: string, fields: Partial<InterfaceFacts> = {}): InterfaceFacts {
  const counts = { received: value(), droppedByKernel: value(), droppedByInterface: value(), reopenings: value() }
  const health = {
    packets: value(),
    cutShort: value(),
    duplicates: value(),
    oversize: value(),
    ackGaps: value(),
    acks: 4 * value(),
    checksumsBad: value(),
    checksumsEmpty: value(),
    checksumsLooked: 4 * value(),
  }
  return {
    device: name,
    linkType: 1,
    snapLen: 2048,
    timeSource: 'kernel, nanoseconds',
    state: 'up',
    fault: '',
    ...counts,
    health,
    ...fields,
  }
}

const analysis = Object.fromEntries(
  Object.keys(
    openAnalyst(
      config,
      0,
      () => {
        throw new Error('not asked')
      },
      () => {},
    ).counters,
  ).map((name) => [name, value()]),
)
const tableNames = Object.keys(new FlowTable(tableLimits({ ...config.flow, max_flows: 1024 }), () => {}).counters)
const table = Object.fromEntries(tableNames.map((name) => [name, name === 'rowsEnded' ? END_REASONS.map(value) : value()]))

const STATE: LiveState = {
  facts: {
    interfaces: [device('eth1'), device('eth2', { state: 'down' })],
    packets: value(),
    wireBytes: value(),
    notDecoded: [],
    flowsOpen: value(),
    flowsCreated: table.flowsCreated as number,
    evictedFlows: value(),
    stalls: value(),
    bugs: value(),
    notRecorded: value(),
    recordFault: null,
    queues: value(),
    turnsNotWaitedFor: value(),
    counters: {
      decoded: value(),
      cutShort: value(),
      dropped: DROP_REASONS.map(value),
      notOpened: DROP_REASONS.map(value),
      // Made from the names of the table's own counters.
      table: table as unknown as FlowTable['counters'],
      watch: { packetsNotCounted: value(), secondsWithoutFlow: value(), connectionsNotFollowed: value(), rowsPutOff: value() },
    },
  },
  lastPacketSec: [1_800_000_000, null],
  flowsMax: value(),
  rowsWaiting: value(),
  rowsJudged: value(),
  judgingBugs: value(),
  analysis,
  opened: [{ kind: 'scan.vertical', severity: 'high', count: value() }],
  suppressed: [{ rule: 'm-1a2b3c4d', count: value() }],
  events: { open: value(), update: value(), close: value() },
  sinks: ['alerts', 'reports', 'syslog'].map((sink) => ({
    sink,
    length: value(),
    delivered: value(),
    dropped: value(),
    errors: value(),
    isAway: sink === 'syslog',
  })),
  files: { repairedBytes: 0, reports: value(), reportBytes: value(), reportsRemoved: value(), reportsNotRemoved: value(), reportPath: '' },
  reload: { hasSucceeded: true, lastSuccessSec: 1_800_000_000 },
  freeBytes: value(),
  eventLoopLagSec: 0.25,
}

async function pageOf(state: LiveState): Promise<string> {
  return (await new LiveMetrics(() => Promise.resolve(state)).page()).body
}

describe('the metrics page', () => {
  test('every counter of decoding, metering, analysis and sinks is on it, with its own value', async () => {
    const page = await pageOf(STATE)
    const { facts } = STATE
    if (facts === null) throw new Error('no facts')
    DROP_REASONS.slice(1).forEach(({ name, group }, i) => {
      expect(page).toContain(`flowscribe_packets_ignored_total{reason="${group}",detail="${name}"} ${facts.counters.dropped[i + 1]}\n`)
      expect(page).toContain(`flowscribe_packets_not_opened_total{reason="${group}",detail="${name}"} ${facts.counters.notOpened[i + 1]}\n`)
    })
    END_REASONS.forEach((reason, i) => {
      expect(page).toContain(`flowscribe_flows_ended_total{reason="${reason}"} ${facts.counters.table.rowsEnded[i]}\n`)
    })
    for (const [name, count] of Object.entries({ ...table, ...facts.counters.watch, ...analysis })) {
      if (typeof count === 'number') expect(page, name).toMatch(new RegExp(` ${count}$`, 'm'))
    }
    expect(page).toContain(`flowscribe_state_saturations_total{table="clients"} ${analysis.clientsEvicted}\n`)
    expect(page).toContain(`flowscribe_analysis_events_total{event="${snakeCase('flowsJudged')}"} ${analysis.flowsJudged}\n`)
    for (const { sink, ...counts } of STATE.sinks) {
      for (const count of Object.values(counts))
        if (typeof count === 'number') expect(page).toMatch(new RegExp(`{sink="${sink}"} ${count}$`, 'm'))
    }
    for (const of of facts.interfaces) {
      expect(page).toContain(`flowscribe_capture_ack_gap_ratio{interface="${of.device}"} ${of.health.ackGaps / of.health.acks}\n`)
      for (const name of ['duplicates', 'oversize', 'cutShort', 'acks', 'checksumsBad', 'checksumsEmpty'] as const) {
        expect(page, name).toMatch(new RegExp(`{interface="${of.device}"(,result="[a-z]+")?} ${of.health[name]}$`, 'm'))
      }
      for (const count of [of.received, of.droppedByKernel, of.droppedByInterface, of.reopenings]) {
        expect(page).toMatch(new RegExp(`{interface="${of.device}"(,reason="[a-z]+")?} ${count}$`, 'm'))
      }
    }
    expect(page).toContain(`flowscribe_internal_errors_total{stage="metering"} ${facts.bugs}\n`)
    expect(page).toContain(`flowscribe_internal_errors_total{stage="judging"} ${STATE.judgingBugs}\n`)
    expect(page).toContain(`flowscribe_alerts_suppressed_total{rule="m-1a2b3c4d"} ${STATE.suppressed[0].count}\n`)
    expect(page).toContain('flowscribe_sink_up{sink="syslog"} 0\n')
    expect(page).toContain('flowscribe_capture_interface_up{interface="eth2"} 0\n')
    expect(page).toMatch(/^process_resident_memory_bytes \d+$/m)
  })

  test('asked twice, counters do not add up', async () => {
    const metrics = new LiveMetrics(() => Promise.resolve(STATE))
    const ours = (page: string): string[] => page.split('\n').filter((line) => /^(# \w+ )?flowscribe_/.test(line))
    const first = ours((await metrics.page()).body)
    expect(ours((await metrics.page()).body)).toEqual(first)
    expect(first.length).toBeGreaterThan(150)
  })

  test('what is not known is not there, rather than 0', async () => {
    const unknown = { received: null, droppedByKernel: null, droppedByInterface: null }
    const facts = STATE.facts && { ...STATE.facts, interfaces: [device('eth1', unknown)] }
    const page = await pageOf({ ...STATE, facts, lastPacketSec: [], files: null, freeBytes: null })
    expect(page).not.toMatch(/^flowscribe_capture_packets_(received|dropped)_total/m)
    expect(page).not.toMatch(/^flowscribe_capture_last_packet/m)
    expect(page).not.toMatch(/^flowscribe_log_dir_free_bytes/m)
    const before = await pageOf({ ...STATE, facts: null, lastPacketSec: [], analysis: {} })
    expect(before).not.toMatch(/^flowscribe_(packets|flows_active)/m)
    expect(before).toContain('flowscribe_ready 0\n')
  })

  test('label names and values are of closed lists: none holds an address', async () => {
    const page = await pageOf(STATE)
    const labels = new Set(
      [...page.matchAll(/^flowscribe_\w+\{(.*)\} /gm)].flatMap(([, list]) => [...list.matchAll(/(\w+)="/g)].map(([, name]) => name)),
    )
    expect([...labels].sort()).toEqual(
      [
        'class',
        'detail',
        'event',
        'feature_set',
        'interface',
        'node',
        'reason',
        'result',
        'rule',
        'severity',
        'sink',
        'stage',
        'table',
        'version',
      ].sort(),
    )
    expect(METRICS.filter(({ name, type }) => (type as string) === 'counter' && !name.endsWith('_total'))).toEqual([])
  })

  test.skipIf(!hasPromtool)('promtool check metrics has nothing to say (Debian: prometheus)', async () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await pageOf(STATE), encoding: 'utf8' })
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' })
  })

  test('not ready: says which interface is not captured', () => {
    expect(notReady({ facts: null })).toEqual(['not capturing yet'])
    expect(notReady(STATE)).toEqual(['eth2: down'])
    const gone = device('eth3', { state: 'gone', fault: 'No such device exists' })
    expect(notReady({ facts: STATE.facts && { ...STATE.facts, interfaces: [gone] } })).toEqual(['eth3: gone (No such device exists)'])
  })
})
