/**
 * How well surprisal tells attacks from what is usual, with controls (SCORER.md section 1b).
 *
 *   first half of a log's benign lines → learnt, then frozen
 *   second half, and the flows of another log moved into it → scored, never learnt
 *
 * In:  logs with labels. Out: for each benign log and each other log: AUC and the share found at 0.5 % false positives, of its malicious
 *      flows and, as the control, of its other flows; the same for two simple models on the same bins.
 * Not: detectors. The control says how much of a number is merely another network.
 */
import type { Config } from '../../src/config.ts'
import type { Flow } from '../../src/flow/flow.ts'
import { BINS, FEATURE_COUNT, NO_BIN, TIME_OF_WEEK } from '../../src/score/surprisal/features.ts'
import type { Snapshot } from '../../src/score/surprisal/snapshot.ts'
import { readRecords, recordAnalyst } from './judge-records.ts'
import { areaUnderCurve, shareFoundAt } from './measures.ts'
import { BENIGN, MALICIOUS } from './record-labels.ts'

export const FALSE_POSITIVES = 0.005

/** A model's scores of flows, higher is stranger. */
const MODELS = ['surprisal', 'histograms', 'packets'] as const
export type ModelName = (typeof MODELS)[number]

export interface TrialRow {
  learnt: string
  scored: string
  /** What of the other log: 'Malicious', or any other label as the control. */
  label: string
  flows: number
  byModel: Record<ModelName, { auc: number; found: number }>
}

export interface TrialLog {
  file: string
  path: string
  labelOf(line: number): string
}

type Scores = Record<ModelName, number[]>

export async function surprisalTrial(logs: readonly TrialLog[], config: Config, flowsMin: number): Promise<TrialRow[]> {
  const read = await Promise.all(logs.map(async (log) => ({ log, ...(await readRecords(log.path, config)) })))
  const labelOf = (log: TrialLog, flow: Flow): string => log.labelOf(flow.record?.line ?? 0)
  const rows: TrialRow[] = []
  for (const { log, flows, reading } of read) {
    const benign = flows.filter((flow) => labelOf(log, flow) === BENIGN)
    const half = benign.length >> 1
    if (half < flowsMin) continue
    const model = learn(config, reading, benign.slice(0, half))
    const usual = model.score(benign.slice(half))
    for (const other of read) {
      const startUs = benign[half].endUs
      const moved = other.log === log ? other.flows.filter((flow) => flow.endUs >= startUs) : movedTo(other.flows, startUs)
      for (const label of new Set(moved.map((flow) => labelOf(other.log, flow)))) {
        if (other.log === log && label === BENIGN) continue
        const foreign = new Set(moved.filter((flow) => labelOf(other.log, flow) === label))
        const scores = model.score(merged([...benign.slice(half)], [...foreign]), (flow) => foreign.has(flow))
        rows.push({ learnt: log.file, scored: other.log.file, label, flows: foreign.size, byModel: compare(usual, scores) })
      }
    }
  }
  return rows.sort((a, b) => Number(b.label === MALICIOUS) - Number(a.label === MALICIOUS))
}

function compare(usual: Scores, strange: Scores): TrialRow['byModel'] {
  const of = (model: ModelName) => ({
    auc: areaUnderCurve(usual[model], strange[model]),
    found: shareFoundAt(FALSE_POSITIVES, usual[model], strange[model]),
  })
  return { surprisal: of('surprisal'), histograms: of('histograms'), packets: of('packets') }
}

/** The same flows as if their log had begun at this time. */
function movedTo(flows: readonly Flow[], startUs: number): Flow[] {
  const by = startUs - Math.min(...flows.map((flow) => flow.startUs))
  return flows.map((flow) => ({ ...flow, startUs: flow.startUs + by, lastUs: flow.lastUs + by, endUs: flow.endUs + by }))
}

function merged(a: readonly Flow[], b: readonly Flow[]): Flow[] {
  return [...a, ...b].sort((x, y) => x.endUs - y.endUs)
}

interface Frozen {
  /** @param isTold whose scores are wanted; absent: all. */
  score(flows: readonly Flow[], isTold?: (flow: Flow) => boolean): Scores
}

function learn(config: Config, reading: Parameters<typeof recordAnalyst>[1], flows: readonly Flow[]): Frozen {
  const histograms = new Float64Array(FEATURE_COUNT * BINS)
  const warm = recordAnalyst(config, reading, {
    take: () => undefined,
    onFlowJudged: ({ surprise }) => {
      for (let j = 0; j < TIME_OF_WEEK; j++) if (surprise.bins[j] !== NO_BIN) histograms[j * BINS + surprise.bins[j]]++
    },
  })
  for (const flow of flows) warm.onFlow(flow)
  const snapshot = frozen(warm.snapshot())
  return {
    score(scored, isTold = () => true) {
      const scores: Scores = { surprisal: [], histograms: [], packets: [] }
      const analyst = recordAnalyst(
        config,
        reading,
        {
          take: () => undefined,
          onFlowJudged: ({ judged, surprise }) => {
            if (!isTold(judged.flow)) return
            scores.surprisal.push(surprise.score)
            scores.histograms.push(rarity(histograms, surprise.bins))
            scores.packets.push((judged.packets[0] ?? 0) + (judged.packets[1] ?? 0))
          },
        },
        snapshot,
      )
      for (const flow of scored) analyst.onFlow(flow)
      return scores
    },
  }
}

/** Counts of the first half in the three stages, all of them committed; and no commit after that. */
function frozen(snapshot: Snapshot): Snapshot {
  const { header, arrays } = snapshot
  const stages = 3
  const each = COUNT_ARRAYS
  const summed = arrays.map((array, i) => {
    if (i >= stages * each) return array
    if (i >= each) return new Float64Array(array.length)
    return array.map((count, b) => count + arrays[each + i][b] + arrays[2 * each + i][b])
  })
  const lifeCycle = {
    ...header.lifeCycle,
    commits: Math.max(COMMITS_SETTLED, header.lifeCycle.commits),
    committedAtUs: Number.MAX_SAFE_INTEGER,
  }
  return { ...snapshot, header: { ...header, lifeCycle }, arrays: summed }
}

/** Arrays of `Counts`: all, by group, pairs, votes. */
const COUNT_ARRAYS = 4
/** Past the first commits the next one comes six hours after the last. */
const COMMITS_SETTLED = 5

/** Histograms of each feature alone, over all flows: HBOS (Goldstein and Dengel, 2012). */
function rarity(histograms: Float64Array, bins: Int8Array): number {
  let sum = 0
  for (let j = 0; j < TIME_OF_WEEK; j++) {
    if (bins[j] === NO_BIN) continue
    let n = 0
    for (let b = 0; b < BINS; b++) n += histograms[j * BINS + b]
    sum -= Math.log10((histograms[j * BINS + bins[j]] + 0.5) / (n + 0.5 * BINS))
  }
  return sum
}
