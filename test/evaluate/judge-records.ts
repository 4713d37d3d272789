/**
 * Flow records of one log through judging, in this process, with an empty baseline unless one is given.
 *
 * In:  the path of a log without labels. Out: its episodes, each with the records it took, by line; when each was first at one half.
 * Not: labels; whoever asks joins them by line afterwards.
 */
import { NetworkSet } from '../../src/base/address.ts'
import type { Config } from '../../src/config.ts'
import { communityIdOf } from '../../src/features/community-id.ts'
import { featureSetId } from '../../src/features/features.ts'
import { type Flow, ORIG, RESP } from '../../src/flow/flow.ts'
import { RecordReading } from '../../src/record-reading.ts'
import { Analyst, type JudgedFlow } from '../../src/score/analyst.ts'
import type { AlertEvent } from '../../src/score/evidence.ts'
import type { Snapshot } from '../../src/score/surprisal/snapshot.ts'
import type { JudgedEpisode } from './judge-capture.ts'
import { type SimpleFindings, SimpleRules } from './simple-rules.ts'

const US_PER_S = 1e6
const US_PER_DAY = 86_400 * US_PER_S

export interface JudgedRecords {
  episodes: JudgedEpisode[]
  /** By episode: the lines that it took, the likeliest episode of a flow alone. */
  linesOf: ReadonlyMap<string, readonly number[]>
  flows: number
  /** Inside addresses that sent something, each for the time from its first flow to its last, an hour at least. */
  hostDays: number
  simple: SimpleFindings
  failures: readonly string[]
}

export async function readRecords(path: string, config: Config): Promise<{ flows: Flow[]; reading: RecordReading }> {
  const reading = new RecordReading({ records: config.records, from: null, isInsideTaken: true })
  const flows: Flow[] = []
  for await (const some of reading.flows([path])) flows.push(...some)
  return { flows, reading }
}

export async function judgeRecords(path: string, config: Config): Promise<JudgedRecords> {
  const { flows, reading } = await readRecords(path, config)
  const episodes = new Map<string, JudgedEpisode>()
  const linesOf = new Map<string, number[]>()
  const internal = new NetworkSet(config.networks.internal)
  const rules = new SimpleRules(internal)
  let nowUs = 0
  const analyst = recordAnalyst(config, reading, {
    take: (alert, isAlert) => {
      const found = { flows: alert.episode.flows, seconds: (nowUs - alert.episode.firstUs) / US_PER_S }
      const known = episodes.get(alert.id)
      const isNotified = known?.isNotified === true || (isAlert && alert.shouldNotify)
      episodes.set(alert.id, { alert, isNotified, found: isAlert ? (known?.found ?? found) : null })
    },
    onFlowJudged: ({ judged, episodeId }) => {
      const line = judged.flow.record?.line
      if (episodeId === null || line === undefined) return
      const lines = linesOf.get(episodeId)
      if (lines === undefined) linesOf.set(episodeId, [line])
      else lines.push(line)
    },
  })
  for (const flow of flows) {
    nowUs = Math.max(nowUs, flow.endUs)
    rules.observe(flow)
    analyst.onFlow(flow)
  }
  analyst.finish(nowUs)
  return {
    episodes: [...episodes.values()],
    linesOf,
    flows: flows.length,
    hostDays: hostDays(flows, internal),
    simple: rules.finish(),
    failures: reading.failures,
  }
}

export interface RecordListener {
  take(alert: AlertEvent, isAlert: boolean): void
  onFlowJudged(flow: JudgedFlow): void
}

export function recordAnalyst(config: Config, reading: RecordReading, listener: RecordListener, baseline?: Snapshot): Analyst {
  return new Analyst({
    score: config,
    baseSec: reading.baseSec,
    internal: new NetworkSet(config.networks.internal),
    visibility: () => reading.visibility(),
    featureVector: () => ({}),
    timeline: () => [],
    communityId: communityIdOf,
    emit: (alert) => listener.take(alert, true),
    onDropped: (alert) => listener.take(alert, false),
    onFlowJudged: (flow) => listener.onFlowJudged(flow),
    sensor: { name: 'evaluate', version: '', configDigest: '' },
    featureSet: featureSetId,
    ...(baseline === undefined ? {} : { baseline }),
  })
}

const HOUR_US = 3600 * US_PER_S

function hostDays(flows: readonly Flow[], internal: NetworkSet): number {
  const spans = new Map<string, { fromUs: number; toUs: number }>()
  for (const flow of flows) {
    for (const side of [ORIG, RESP] as const) {
      const isInside = flow.record?.isInside[side] ?? internal.has(flow.addr[side])
      if (!isInside || !flow.packets[side]) continue
      const span = spans.get(flow.addr[side]) ?? { fromUs: flow.startUs, toUs: flow.lastUs }
      spans.set(flow.addr[side], { fromUs: Math.min(span.fromUs, flow.startUs), toUs: Math.max(span.toUs, flow.lastUs) })
    }
  }
  return [...spans.values()].reduce((sum, { fromUs, toUs }) => sum + Math.max(HOUR_US, toUs - fromUs), 0) / US_PER_DAY
}
