/**
 * One capture through metering and judging, in this process, with an empty baseline and nothing written.
 *
 * In:  a path. Out: its episodes, those below the alert limit too, each as last judged, with when it was first at one half.
 * Not: sinks and reports. The path is used to open the file and for nothing else.
 */

import { NetworkSet } from '../../src/base/address.ts'
import type { Config } from '../../src/config.ts'
import { NOTHING_COUNTED } from '../../src/context/capture-history.ts'
import { communityIdOf } from '../../src/features/community-id.ts'
import { featureSetId } from '../../src/features/features.ts'
import type { FlowBatch } from '../../src/flow/batch.ts'
import { type Flow, ORIG, RESP } from '../../src/flow/flow.ts'
import type { Interim } from '../../src/flow/interim.ts'
import { tableLimits } from '../../src/flow/limits.ts'
import { Meter } from '../../src/flow/meter.ts'
import { readFlow } from '../../src/flow/read-flow.ts'
import { RowView } from '../../src/flow/row-view.ts'
import { judgeInterim, watchLimits } from '../../src/judge.ts'
import { SILENT } from '../../src/progress.ts'
import { newReading, readCaptures } from '../../src/reading.ts'
import { Analyst } from '../../src/score/analyst.ts'
import type { AlertEvent } from '../../src/score/evidence.ts'
import { type SimpleFindings, SimpleRules } from './simple-rules.ts'
import type { Vary } from './vary.ts'

const US_PER_S = 1e6
const US_PER_HOUR = 3600 * US_PER_S

export interface JudgedEpisode {
  alert: AlertEvent
  /** Any of its events asked for a notification. */
  isNotified: boolean
  /** null: it never became an alert. */
  found: { flows: number; seconds: number } | null
}

export interface JudgedCapture {
  episodes: JudgedEpisode[]
  packets: number
  flows: number
  seconds: number
  /** What simple rules say of the same flows. */
  simple: SimpleFindings
  /** Clock hours in which an internal address sent something, summed over addresses. */
  hostHours: number
  /** Why it could not be read, or not to its end. */
  fault: string | null
}

/**
 * @param timeLimitMs reading stops there; said in `fault`.
 * @param vary what to change of its records before they are metered
 */
export async function judgeCapture(path: string, config: Config, timeLimitMs: number, vary: Vary | null = null): Promise<JudgedCapture> {
  const episodes = new Map<string, JudgedEpisode>()
  const reading = newReading()
  const internal = new NetworkSet(config.networks.internal)
  const rules = new SimpleRules(internal)
  const hostHours = new Set<string>()
  const noteHours = (flow: Flow): void => {
    const hour = Math.floor(flow.startUs / US_PER_HOUR)
    for (const side of [ORIG, RESP] as const)
      if (flow.packets[side] && internal.has(flow.addr[side])) hostHours.add(`${flow.addr[side]} ${hour}`)
  }
  const run: { flows: number; analyst: Analyst | null } = { flows: 0, analyst: null }
  const analystOf = (): Analyst => {
    run.analyst ??= openAnalyst(config, meter, (alert, isAlert) => {
      const found = { flows: alert.episode.flows, seconds: (meter.table.nowUs - alert.episode.firstUs) / US_PER_S }
      const known = episodes.get(alert.id)
      const isNotified = known?.isNotified === true || (isAlert && alert.shouldNotify)
      episodes.set(alert.id, { alert, isNotified, found: isAlert ? (known?.found ?? found) : null })
    })
    return run.analyst
  }
  const takeRows = (batch: FlowBatch): void => {
    run.flows += batch.count
    analystOf().onSeen(meter.seenSoFar())
    const row = RowView.of(batch)
    for (let i = 0; i < batch.count; i++) {
      const flow = readFlow(row.moveTo(batch, i))
      rules.observe(flow)
      noteHours(flow)
      analystOf().onFlow(flow)
    }
  }
  const takeInterim = (interim: Interim): void => {
    analystOf().onSeen(meter.seenSoFar())
    judgeInterim(interim, analystOf())
  }
  const meter: Meter = new Meter(tableLimits(config.flow), takeRows, {
    limits: watchLimits(config),
    onInterim: takeInterim,
  })
  const signal = AbortSignal.timeout(timeLimitMs)
  const take = async (slab: Parameters<Meter['meterSlab']>[0]): Promise<boolean> => {
    meter.meterSlab(vary === null ? slab : vary.slab(slab))
    return await Promise.resolve(true)
  }
  const state = (): { packets: number; packetTimeSec: null } => ({ packets: meter.counters.seen, packetTimeSec: null })
  const failure = await readCaptures(reading, { inputs: [path], progress: SILENT, signal, isReordered: true, take, state }).then(
    () => null,
    messageOf,
  )
  meter.finish()
  run.analyst?.finish(meter.table.nowUs)
  const lastUs = Math.max(0, ...[...episodes.values()].map(({ alert }) => alert.episode.lastUs))
  return {
    episodes: [...episodes.values()],
    packets: meter.counters.seen,
    flows: run.flows,
    simple: rules.finish(),
    hostHours: hostHours.size,
    seconds: Math.max(lastUs, meter.table.nowUs) / US_PER_S,
    fault: failure ?? (signal.aborted ? 'the time limit was reached' : (reading.damage[0]?.message ?? null)),
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function openAnalyst(config: Config, meter: Meter, take: (alert: AlertEvent, isAlert: boolean) => void): Analyst {
  return new Analyst({
    score: config,
    baseSec: meter.baseSec,
    internal: new NetworkSet(config.networks.internal),
    visibility: () => ({
      ...NOTHING_COUNTED,
      packetsSeen: meter.counters.seen,
      packetsNotDecoded: meter.counters.seen - meter.counters.decoded,
      truncatedPackets: meter.counters.cutShort,
      latePackets: 0,
      evictedFlows: 0,
      bothHalves: null,
      inputDamage: null,
      source: 'file',
    }),
    // Features of single flows are for reports.
    featureVector: () => ({}),
    timeline: () => [],
    communityId: communityIdOf,
    emit: (alert) => take(alert, true),
    onDropped: (alert) => take(alert, false),
    sensor: { name: 'evaluate', version: '', configDigest: '' },
    featureSet: featureSetId,
  })
}
