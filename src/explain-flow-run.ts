/**
 * Captures read through the pipeline for the sake of one flow: what the detectors measured on it, and what became of it.
 *
 * In:  captures and which flow. Out: the flow explained as it was when its last row came; null when there is none such.
 * Not: alerts and reports of other flows: they are judged, because the flow's surroundings come of them, and not written.
 */
import type { Config } from './config.ts'
import { NOTHING_COUNTED } from './context/capture-history.ts'
import type { ExplainedFlow } from './explain/flow-report.ts'
import { communityIdOf } from './features/community-id.ts'
import type { FlowBatch } from './flow/batch.ts'
import type { Flow } from './flow/flow.ts'
import type { Interim } from './flow/interim.ts'
import { tableLimits } from './flow/limits.ts'
import { Meter } from './flow/meter.ts'
import { judge, judgeInterim, watchLimits } from './judge.ts'
import type { Progress } from './progress.ts'
import { newReading, readCaptures } from './reading.ts'
import type { Analyst } from './score/analyst.ts'
import type { Look } from './score/detectors/detector.ts'
import type { AlertEvent } from './score/evidence.ts'
import { keptFlow } from './score/kept-flow.ts'
import { explainFlow } from './score/what-if/explain-flow.ts'
import { flowReaderOf, healthOptions, openAnalyst } from './sensor.ts'

export type FlowQuestion = { id: number } | { communityId: string } | { proto: number; addr: [string, string]; port: [number, number] }

interface RunOptions {
  inputs: readonly string[]
  config: Config
  progress: Progress
  signal: AbortSignal
}

export async function explainFlowOf(question: FlowQuestion, options: RunOptions): Promise<ExplainedFlow | null> {
  const { config } = options
  const episodes = new Map<string, { alert: AlertEvent; isAlert: boolean }>()
  const run: { analyst: Analyst | null; found: ExplainedFlow | null } = { analyst: null, found: null }
  const reading = newReading()
  const note = (alert: AlertEvent, isAlert: boolean): unknown => episodes.set(alert.id, { alert, isAlert })
  const analystOf = (baseSec: number): Analyst => {
    run.analyst ??= openAnalyst(
      config,
      baseSec,
      () => ({ ...NOTHING_COUNTED, bothHalves: null, inputDamage: reading.damage[0]?.message ?? null, source: 'file' }),
      (alert) => note(alert, true),
      {
        onDropped: (alert) => note(alert, false),
        onLook: (look) => {
          if (isAsked(look.judged.flow, question)) run.found = explained(look, config, baseSec)
        },
      },
    )
    run.analyst.onSeen(meter.seenSoFar())
    return run.analyst
  }
  // As in a replay: what is told of open flows, too, or its alerts would be others.
  const interim = { limits: watchLimits(config), onInterim: (told: Interim) => judgeInterim(told, analystOf(told.baseSec)) }
  const takeRows = (batch: FlowBatch): void => judge(batch, analystOf(batch.baseSec))
  const meter: Meter = new Meter(tableLimits(config.flow), takeRows, interim, healthOptions(config))
  const take = (slab: Parameters<Meter['meterSlab']>[0]): Promise<boolean> => {
    meter.meterSlab(slab)
    return Promise.resolve(true)
  }
  const state = (): { packets: number; packetTimeSec: null } => ({ packets: meter.counters.seen, packetTimeSec: null })
  await readCaptures(reading, { ...options, isReordered: true, take, state })
  meter.finish()
  run.analyst?.finish(meter.table.nowUs)
  return run.found === null ? null : { ...run.found, episodes: episodesOf(run.found, [...episodes.values()]) }
}

function isAsked(flow: Flow, question: FlowQuestion): boolean {
  if ('id' in question) return flow.id === question.id
  if ('communityId' in question) return communityIdOf(flow) === question.communityId
  if (flow.proto !== question.proto) return false
  const isSame = (side: 0 | 1): boolean => flow.addr[side] === question.addr[0] && flow.port[side] === question.port[0]
  const isOther = (side: 0 | 1): boolean => flow.addr[side] === question.addr[1] && flow.port[side] === question.port[1]
  return (isSame(0) && isOther(1)) || (isSame(1) && isOther(0))
}

/** Now: the row and the windows move on with the next flow. */
function explained(look: Look, config: Config, baseSec: number): ExplainedFlow {
  const { judged, context } = look
  const reader = flowReaderOf(baseSec)
  return {
    flow: keptFlow(judged, reader, baseSec),
    orientation: judged.orientation,
    features: judged.flow.row === null ? {} : reader.featureVector(judged.flow.row),
    windowFeatures: context.windowFeatures(judged),
    featureSet: reader.featureSet,
    explanation: explainFlow(look, config),
    episodes: [],
    threshold: config.alerts.likelihood_min,
  }
}

/** Those of the kinds and actors whose entry test the flow met while they lasted. */
function episodesOf({ explanation }: ExplainedFlow, all: readonly { alert: AlertEvent; isAlert: boolean }[]): typeof all {
  const met = explanation.looked.filter((test) => test.isMet)
  return all.filter(({ alert }) => met.some((test) => test.kind === alert.kind && test.actor === alert.actor))
}
