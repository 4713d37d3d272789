/**
 * What a live run shows of itself to Prometheus, and whether it is ready. One row is one metric.
 *
 * In:  the state of the run at the moment of the question. Out: the text format, by prom-client.
 * Not: addresses, ports or names from the traffic: labels come from closed lists of ours, and interfaces as they were configured.
 * The invariant: every counter that the stages keep has its place here (test/live-metrics.test.ts).
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { DROP_REASONS } from '../decode/drop-reason.ts'
import { featureSetId } from '../features/features.ts'
import { END_REASONS } from '../flow/row.ts'
import type { Page } from '../sink/status-server.ts'
import { VERSION } from '../version.ts'
import type { SinkFacts } from './delivery.ts'
import type { HealthFacts, LiveFacts } from './metering.ts'
import type { WritingFacts } from './writing.ts'

export interface LiveState {
  /** null until the interfaces are open. */
  facts: LiveFacts | null
  /** By interface, in facts' order: when packets last came, in seconds since 1970; null for never. */
  lastPacketSec: readonly (number | null)[]
  flowsMax: number
  rowsWaiting: number
  rowsJudged: number
  /** Flows, counters and sightings that could not be judged because of a fault of the program. */
  judgingBugs: number
  /** Analyst.counters. */
  analysis: Readonly<Record<string, number>>
  opened: readonly { kind: string; severity: string; count: number }[]
  /** Alerts that a rule muted when they were first told. */
  suppressed: readonly { rule: string; count: number }[]
  events: Readonly<Record<string, number>>
  sinks: readonly SinkFacts[]
  files: WritingFacts | null
  reload: { hasSucceeded: boolean; lastSuccessSec: number }
  /** Room where alerts and reports lie; null when it cannot be known. */
  freeBytes: number | null
  eventLoopLagSec: number
}

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number]

interface MetricRow {
  name: string
  type: 'counter' | 'gauge'
  help: string
  labels: readonly string[]
  samples(state: LiveState): readonly Sample[]
}

const NONE: Labels = {}

function one(value: number | null | undefined): readonly Sample[] {
  return value === null || value === undefined ? [] : [[NONE, value]]
}

function perInterface(state: LiveState, value: (of: LiveFacts['interfaces'][number], i: number) => number | null): Sample[] {
  return (state.facts?.interfaces ?? []).flatMap((of, i): Sample[] => {
    const found = value(of, i)
    return found === null ? [] : [[{ interface: of.device }, found]]
  })
}

function dropped(state: LiveState, reason: string, value: (of: LiveFacts['interfaces'][number]) => number | null): Sample[] {
  return perInterface(state, value).map(([labels, count]) => [{ ...labels, reason }, count])
}

function checksums(state: LiveState, result: string, value: (of: HealthFacts) => number): Sample[] {
  return perInterface(state, ({ health }) => value(health)).map(([labels, count]) => [{ ...labels, result }, count])
}

/** By DROP_REASONS, the first of which is none. */
function perDropReason(counts: readonly number[] | undefined): Sample[] {
  if (counts === undefined) return []
  return DROP_REASONS.slice(1).map(({ name, group }, i) => [{ reason: group, detail: name }, counts[i + 1]])
}

/** Counters of the analysis that say that a table was full: `clientsEvicted`, `episodesFull`, `censusNotCounted`. */
const FULL_TABLE = /(Evicted|Full|NotCounted|Saturated)$/

function analysisSamples(state: LiveState, isFullTable: boolean, label: string): Sample[] {
  return Object.entries(state.analysis)
    .filter(([name]) => FULL_TABLE.test(name) === isFullTable)
    .map(([name, count]) => [{ [label]: snakeCase(name.replace(FULL_TABLE, '')) }, count])
}

/** flowsJudged as flows_judged. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)
}

function perSink(state: LiveState, value: (of: SinkFacts) => number): Sample[] {
  return state.sinks.map((of) => [{ sink: of.sink }, value(of)])
}

/** CONVENTIONS.md section 9's names where it has one. */
export const METRICS = [
  {
    name: 'flowscribe_build_info',
    type: 'gauge',
    help: 'Always 1: version of the sensor, of its features and of Node.',
    labels: ['version', 'node', 'feature_set'],
    samples: () => [[{ version: VERSION, node: process.versions.node, feature_set: featureSetId }, 1]],
  },
  { name: 'flowscribe_up', type: 'gauge', help: 'Always 1 while the sensor runs.', labels: [], samples: () => one(1) },
  {
    name: 'flowscribe_ready',
    type: 'gauge',
    help: '1 while all interfaces are captured, as /readyz says.',
    labels: [],
    samples: (state) => one(notReady(state).length === 0 ? 1 : 0),
  },
  {
    name: 'flowscribe_capture_interface_up',
    type: 'gauge',
    help: '1 while the interface is captured and its link is up.',
    labels: ['interface'],
    samples: (state) => perInterface(state, ({ state: link, fault }) => (link === 'up' && fault === '' ? 1 : 0)),
  },
  {
    name: 'flowscribe_capture_packets_received_total',
    type: 'counter',
    help: 'Packets that passed the filter, lost ones included; not there when the driver cannot know.',
    labels: ['interface'],
    samples: (state) => perInterface(state, ({ received }) => received),
  },
  {
    name: 'flowscribe_capture_packets_dropped_total',
    type: 'counter',
    help: 'Packets lost before they were captured: no room in the buffer (kernel), or lost by the card (interface).',
    labels: ['interface', 'reason'],
    samples: (state) => [
      ...dropped(state, 'kernel', ({ droppedByKernel }) => droppedByKernel),
      ...dropped(state, 'interface', ({ droppedByInterface }) => droppedByInterface),
    ],
  },
  {
    name: 'flowscribe_capture_reopenings_total',
    type: 'counter',
    help: 'Times that the interface was lost and opened anew.',
    labels: ['interface'],
    samples: (state) => perInterface(state, ({ reopenings }) => reopenings),
  },
  {
    name: 'flowscribe_capture_last_packet_timestamp_seconds',
    type: 'gauge',
    help: 'When packets last came, to the second; not there before the first.',
    labels: ['interface'],
    samples: (state) => perInterface(state, (_, i) => state.lastPacketSec[i] ?? null),
  },
  {
    name: 'flowscribe_capture_ack_gap_ratio',
    type: 'gauge',
    help: 'Share of acknowledgements of data that never came, since the start: loss before the host; not there before the first.',
    labels: ['interface'],
    samples: (state) => perInterface(state, ({ health: { acks, ackGaps } }) => (acks === 0 ? null : ackGaps / acks)),
  },
  {
    name: 'flowscribe_capture_acknowledgements_total',
    type: 'counter',
    help: 'Acknowledgements of something new, on connections seen from their start: what the ratio is a share of.',
    labels: ['interface'],
    samples: (state) => perInterface(state, ({ health }) => health.acks),
  },
  {
    name: 'flowscribe_capture_duplicates_total',
    type: 'counter',
    help: 'Second copies of a packet, as a mirror port makes them, left out.',
    labels: ['interface'],
    samples: (state) => perInterface(state, ({ health }) => health.duplicates),
  },
  {
    name: 'flowscribe_capture_oversize_packets_total',
    type: 'counter',
    help: "Packets larger than a TCP segment can be: merged by this host's receive offload.",
    labels: ['interface'],
    samples: (state) => perInterface(state, ({ health }) => health.oversize),
  },
  {
    name: 'flowscribe_capture_cut_short_total',
    type: 'counter',
    help: 'Packets longer than the snap length.',
    labels: ['interface'],
    samples: (state) => perInterface(state, ({ health }) => health.cutShort),
  },
  {
    name: 'flowscribe_capture_checksums_total',
    type: 'counter',
    help: 'Checksums of a sample of packets: right, wrong (a damaging tap or cable), or not filled in yet (transmit offload of this host).',
    labels: ['interface', 'result'],
    samples: (state) => [
      ...checksums(state, 'right', ({ checksumsLooked, checksumsBad, checksumsEmpty }) => checksumsLooked - checksumsBad - checksumsEmpty),
      ...checksums(state, 'wrong', ({ checksumsBad }) => checksumsBad),
      ...checksums(state, 'empty', ({ checksumsEmpty }) => checksumsEmpty),
    ],
  },
  {
    name: 'flowscribe_capture_stalls_total',
    type: 'counter',
    help: 'Times that capture waited for analysis, during which the kernel may lose packets.',
    labels: [],
    samples: ({ facts }) => one(facts?.stalls),
  },
  {
    name: 'flowscribe_capture_queues',
    type: 'gauge',
    help: 'Threads among which the packets of each interface are shared (capture.queues).',
    labels: [],
    samples: ({ facts }) => one(facts?.queues),
  },
  {
    name: 'flowscribe_capture_turns_not_waited_for_total',
    type: 'counter',
    help: 'Seconds that were judged without a queue that was too far behind the others: its flows of them are judged late.',
    labels: [],
    samples: ({ facts }) => one(facts?.turnsNotWaitedFor),
  },
  {
    name: 'flowscribe_packets_captured_total',
    type: 'counter',
    help: 'Packets handed to the decoder: decoded and ignored ones.',
    labels: [],
    samples: ({ facts }) => one(facts?.packets),
  },
  {
    name: 'flowscribe_captured_bytes_total',
    type: 'counter',
    help: 'Octets of those packets on the wire.',
    labels: [],
    samples: ({ facts }) => one(facts?.wireBytes),
  },
  {
    name: 'flowscribe_packets_decoded_total',
    type: 'counter',
    help: 'Packets that were decoded and metered.',
    labels: [],
    samples: ({ facts }) => one(facts?.counters.decoded),
  },
  {
    name: 'flowscribe_packets_ignored_total',
    type: 'counter',
    help: 'Packets that could not be metered, by reason; detail is the very reason.',
    labels: ['reason', 'detail'],
    samples: ({ facts }) => perDropReason(facts?.counters.dropped),
  },
  {
    name: 'flowscribe_packets_not_opened_total',
    type: 'counter',
    help: 'Wrappers (tunnels) that were metered themselves because what they carry could not be decoded.',
    labels: ['reason', 'detail'],
    samples: ({ facts }) => perDropReason(facts?.counters.notOpened),
  },
  {
    name: 'flowscribe_packets_cut_short_total',
    type: 'counter',
    help: 'Packets longer than the snap length: metered by their length on the wire.',
    labels: [],
    samples: ({ facts }) => one(facts?.counters.cutShort),
  },
  {
    name: 'flowscribe_packets_late_total',
    type: 'counter',
    help: "Packets older than their flow's newest one.",
    labels: [],
    samples: ({ facts }) => one(facts?.counters.table.latePackets),
  },
  {
    name: 'flowscribe_open_flows_not_told_total',
    type: 'counter',
    help: 'What analysis was not told of while flows were open, for want of room: it is judged when the flows end.',
    labels: ['detail'],
    samples: ({ facts }) =>
      facts === null ? [] : Object.entries(facts.counters.watch).map(([what, count]): Sample => [{ detail: snakeCase(what) }, count]),
  },
  {
    name: 'flowscribe_clock_steps_total',
    type: 'counter',
    help: 'Times the packet clock went back by more than half a minute: all flows ended there.',
    labels: [],
    samples: ({ facts }) => one(facts?.counters.table.clockSteps),
  },
  {
    name: 'flowscribe_icmp_errors_unmatched_total',
    type: 'counter',
    help: 'ICMP errors about a flow that is not known.',
    labels: [],
    samples: ({ facts }) => one(facts?.counters.table.icmpErrorsUnmatched),
  },
  {
    name: 'flowscribe_flows_active',
    type: 'gauge',
    help: 'Flows held now.',
    labels: [],
    samples: ({ facts }) => one(facts?.flowsOpen),
  },
  { name: 'flowscribe_flows_limit', type: 'gauge', help: 'Flows held at most.', labels: [], samples: ({ flowsMax }) => one(flowsMax) },
  {
    name: 'flowscribe_flows_created_total',
    type: 'counter',
    help: 'Flows begun.',
    labels: [],
    samples: ({ facts }) => one(facts?.flowsCreated),
  },
  {
    name: 'flowscribe_flows_ended_total',
    type: 'counter',
    help: 'Flow rows ended, by reason; active is one more row of a flow that goes on.',
    labels: ['reason'],
    samples: ({ facts }) => (facts === null ? [] : END_REASONS.map((reason, i): Sample => [{ reason }, facts.counters.table.rowsEnded[i]])),
  },
  {
    name: 'flowscribe_flows_evicted_total',
    type: 'counter',
    help: 'Flows that had to leave early because the table was full.',
    labels: [],
    samples: ({ facts }) => one(facts?.evictedFlows),
  },
  {
    name: 'flowscribe_flows_turned_total',
    type: 'counter',
    help: 'Flows whose direction was corrected after their first packet.',
    labels: [],
    samples: ({ facts }) => one(facts?.counters.table.directionsCorrected),
  },
  {
    name: 'flowscribe_analysis_rows_waiting',
    type: 'gauge',
    help: 'Flow rows metered and not yet judged.',
    labels: [],
    samples: ({ rowsWaiting }) => one(rowsWaiting),
  },
  {
    name: 'flowscribe_analysis_rows_total',
    type: 'counter',
    help: 'Flow rows judged.',
    labels: [],
    samples: ({ rowsJudged }) => one(rowsJudged),
  },
  {
    name: 'flowscribe_internal_errors_total',
    type: 'counter',
    help: 'Faults of the program itself, each of which cost one block of packets (metering) or one record (judging).',
    labels: ['stage'],
    samples: ({ facts, judgingBugs }) => [
      [{ stage: 'metering' }, facts?.bugs ?? 0],
      [{ stage: 'judging' }, judgingBugs],
    ],
  },
  {
    name: 'flowscribe_analysis_events_total',
    type: 'counter',
    help: 'What happened in the analysis: flows judged, episodes opened, closed and explained, notifications held back …',
    labels: ['event'],
    samples: (state) => analysisSamples(state, false, 'event'),
  },
  {
    name: 'flowscribe_state_saturations_total',
    type: 'counter',
    help: 'Times that a bounded table was full and something was let go or not taken in.',
    labels: ['table'],
    samples: (state) => analysisSamples(state, true, 'table'),
  },
  {
    name: 'flowscribe_alerts_total',
    type: 'counter',
    help: 'Alerts, by kind and by the severity with which they began; without muted ones.',
    labels: ['class', 'severity'],
    samples: ({ opened }) => opened.map(({ kind, severity, count }): Sample => [{ class: kind, severity }, count]),
  },
  {
    name: 'flowscribe_alerts_suppressed_total',
    type: 'counter',
    help: 'Alerts that a mute rule of the site kept from notifying when they were first told.',
    labels: ['rule'],
    samples: ({ suppressed }) => suppressed.map(({ rule, count }): Sample => [{ rule }, count]),
  },
  {
    name: 'flowscribe_alert_events_total',
    type: 'counter',
    help: 'Lines about alerts: open, update, close.',
    labels: ['event'],
    samples: ({ events }) => Object.entries(events).map(([event, count]): Sample => [{ event }, count]),
  },
  {
    name: 'flowscribe_sink_delivered_total',
    type: 'counter',
    help: 'What a sink took.',
    labels: ['sink'],
    samples: (state) => perSink(state, ({ delivered }) => delivered),
  },
  {
    name: 'flowscribe_sink_dropped_total',
    type: 'counter',
    help: 'What was lost because a sink took it too late or never.',
    labels: ['sink'],
    samples: (state) => perSink(state, ({ dropped: lost }) => lost),
  },
  {
    name: 'flowscribe_sink_errors_total',
    type: 'counter',
    help: 'Tries that a sink refused.',
    labels: ['sink'],
    samples: (state) => perSink(state, ({ errors }) => errors),
  },
  {
    name: 'flowscribe_sink_queue_length',
    type: 'gauge',
    help: 'What waits for a sink.',
    labels: ['sink'],
    samples: (state) => perSink(state, ({ length }) => length),
  },
  {
    name: 'flowscribe_sink_up',
    type: 'gauge',
    help: '0 while a sink refuses or does not answer.',
    labels: ['sink'],
    samples: (state) => perSink(state, ({ isAway }) => (isAway ? 0 : 1)),
  },
  {
    name: 'flowscribe_reports',
    type: 'gauge',
    help: 'Reports on the disk.',
    labels: [],
    samples: ({ files }) => one(files?.reports),
  },
  {
    name: 'flowscribe_reports_bytes',
    type: 'gauge',
    help: 'Their octets, pictures and packets included.',
    labels: [],
    samples: ({ files }) => one(files?.reportBytes),
  },
  {
    name: 'flowscribe_reports_removed_total',
    type: 'counter',
    help: 'Reports removed because they were too old or too many.',
    labels: [],
    samples: ({ files }) => one(files?.reportsRemoved),
  },
  {
    name: 'flowscribe_reports_not_removed_total',
    type: 'counter',
    help: 'Reports that should have been removed and could not be.',
    labels: [],
    samples: ({ files }) => one(files?.reportsNotRemoved),
  },
  {
    name: 'flowscribe_config_last_reload_successful',
    type: 'gauge',
    help: '1 unless the last reload found a bad configuration.',
    labels: [],
    samples: ({ reload }) => one(reload.hasSucceeded ? 1 : 0),
  },
  {
    name: 'flowscribe_config_last_reload_success_timestamp_seconds',
    type: 'gauge',
    help: 'When the configuration was last read with success.',
    labels: [],
    samples: ({ reload }) => one(reload.lastSuccessSec),
  },
  {
    name: 'flowscribe_event_loop_lag_seconds',
    type: 'gauge',
    help: 'The longest time since the last question that the judging thread was busy in one go.',
    labels: [],
    samples: ({ eventLoopLagSec }) => one(eventLoopLagSec),
  },
  {
    name: 'flowscribe_log_dir_free_bytes',
    type: 'gauge',
    help: 'Room left where alerts and reports are written.',
    labels: [],
    samples: ({ freeBytes }) => one(freeBytes),
  },
] as const satisfies readonly MetricRow[]

/** The interfaces that are not captured, each with its state. */
export function notReady({ facts }: Pick<LiveState, 'facts'>): string[] {
  if (facts === null) return ['not capturing yet']
  return facts.interfaces
    .filter(({ state, fault }) => state !== 'up' || fault !== '')
    .map(({ device, state, fault }) => `${device}: ${state}${fault === '' ? '' : ` (${fault})`}`)
}

/** Gauges of prom-client's that are named like counters: promtool objects. The same by type are there under other names. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

/** Renders METRICS and prom-client's own metrics of the process. */
export class LiveMetrics {
  readonly #registry = new Registry()

  constructor(state: () => Promise<LiveState>) {
    let now: Promise<LiveState> | null = null
    // All rows of one answer are of one moment.
    const shared = (): Promise<LiveState> => {
      now ??= state().finally(() => {
        now = null
      })
      return now
    }
    for (const row of METRICS) this.#register(row, shared)
    collectDefaultMetrics({ register: this.#registry })
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name)
  }

  #register({ name, type, help, labels, samples }: MetricRow, state: () => Promise<LiveState>): void {
    const common = { name, help, labelNames: [...labels], registers: [this.#registry] }
    if (type === 'gauge') {
      const gauge: Gauge = new Gauge({
        ...common,
        async collect() {
          const found = samples(await state())
          gauge.reset()
          // A metric without labels would stay at 0, which would be a claim.
          if (found.length === 0 && labels.length === 0) gauge.remove()
          for (const [of, value] of found) gauge.set(of, value)
        },
      })
      return
    }
    const counter: Counter = new Counter({
      ...common,
      async collect() {
        const found = samples(await state())
        counter.reset()
        if (found.length === 0 && labels.length === 0) counter.remove()
        for (const [of, value] of found) counter.inc(of, value)
      },
    })
  }

  async page(): Promise<Page> {
    return { status: 200, type: this.#registry.contentType, body: await this.#registry.metrics() }
  }
}
