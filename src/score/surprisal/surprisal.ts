/**
 * ACS, additive conditional surprisal: how unusual a flow is among comparable ones (SCORER.md section 4).
 *
 *   flow → 26 values → bins → table look-ups, added up → score → p → "1 in N comparable flows"
 *
 * In:  judged flows with what their hosts did lately, in row order; packet time. Out: `Surprise` of each, scored against what was
 *      committed; windows of hosts; a network that has become another one.
 * Not: a verdict, and not when to learn: the analyst knows which flows belong to open episodes.
 * The invariant: what is learnt lies in a shadow, then is held for one period, and only then judges: nothing younger than six hours
 *      shapes a settled baseline. The first commit alone goes straight in: there is nothing yet to compare with, and it weighs nothing.
 */

import { CLIENT } from '../../context/contact.ts'
import type { Context } from '../../context/context.ts'
import { newVotes, type Observed, type VoteTally } from '../../context/windows.ts'
import { num } from '../number.ts'
import type { Judged } from '../orientation.ts'
import { Calibration } from './calibration.ts'
import { Counts } from './counts.ts'
import { DRIFT_COMMITS_MIN, DRIFT_FEATURES_MIN, type Drifted, driftOf } from './drift.ts'
import { BINS, binOf, FEATURE_COUNT, measure, SURPRISAL_FEATURES, TIME_OF_WEEK } from './features.ts'
import { BUCKET_COUNT, bucketOf, groupOf, groupWords } from './groups.ts'
import { type HostWindow, HostWindows, UNUSUAL_P } from './host-windows.ts'
import { LifeCycle } from './life-cycle.ts'
import { LookupTables, rarityOf } from './lookup.ts'
import { type Contribution, emptySurprise, featureNum, type Surprise, type SurpriseNote } from './surprise.ts'

const MINUTE_US = 60e6
/** SCORER.md section 4.5: half-life of about 6.8 days at a commit every six hours; and once the network has changed. */
const COMMIT_DECAY = 0.975
const DRIFT_DECAY = 0.5
const PERIODS_A_DAY = 4
const EXPLAINED_MAX = 3
/** A contribution below this is nothing to speak of: one in ten. */
const TELLING_MIN = 1

export interface SurprisalOptions {
  context: Context
  baseSec: number
  /** Whether no episode is open. */
  isQuiet(): boolean
}

export class Surprisal {
  readonly lifeCycle = new LifeCycle()
  readonly hostWindows: HostWindows
  readonly base = new Counts()
  readonly held = new Counts()
  readonly shadow = new Counts()
  readonly calibrations: readonly Calibration[] = Array.from({ length: BUCKET_COUNT }, () => new Calibration())
  /** Counts by feature of the last four periods, one after the other. */
  readonly lastDay = new Float64Array(PERIODS_A_DAY * FEATURE_COUNT * BINS)
  driftedCommits = 0
  /** Told once: what had changed at the last commit. */
  changed: readonly Drifted[] | null = null
  readonly #tables = new LookupTables()
  readonly #surprise = emptySurprise()
  readonly #options: SurprisalOptions

  constructor(options: SurprisalOptions) {
    this.#options = options
    this.hostWindows = new HostWindows(options.context)
  }

  /** Packet time; commits when one is due. True after a commit. */
  advance(nowUs: number): boolean {
    this.hostWindows.advance(nowUs)
    this.lifeCycle.advance(nowUs)
    if (!this.lifeCycle.isCommitDue(this.shadow.votes[0])) return false
    this.#commit()
    return true
  }

  /** The record is overwritten by the next flow. */
  score(judged: Judged, observed: Observed): Surprise {
    const surprise = this.#surprise
    const { values, bins, contributions } = surprise
    measure(judged, observed, this.#options.baseSec, values)
    for (let j = 0; j < FEATURE_COUNT; j++) bins[j] = binOf(j, values[j])
    surprise.group = groupOf(judged)
    surprise.weight = this.lifeCycle.weight
    surprise.score = 0
    surprise.p = null
    if (this.lifeCycle.record.commits === 0) {
      contributions.fill(0)
      return surprise
    }
    const featuresUsed = this.lifeCycle.hasSeenWeek ? FEATURE_COUNT : TIME_OF_WEEK
    surprise.score = this.#tables.score(bins, surprise.group, featuresUsed, contributions)
    if (observed.background === null) surprise.p = this.calibrations[bucketOf(judged)].p(surprise.score)
    return surprise
  }

  /** Takes the flow just scored into the shadow: one vote a host, minute and service. */
  learn(judged: Judged, observed: Observed): void {
    const { bins, group, score } = this.#surprise
    // Scores before the first commit are none.
    if (this.lifeCycle.record.commits > 0) this.calibrations[bucketOf(judged)].note(score)
    const isServersVote = judged.isServerInternal && !judged.isClientInternal
    const host = isServersVote ? observed.target : observed.client
    host.votes ??= newVotes()
    const k = countVote(host.votes, Math.floor(judged.endUs / MINUTE_US), group)
    this.shadow.add(bins, group, 1 / k)
  }

  /** What outlives the flow just scored, when it is unusual and the anomaly counts. */
  noteOf(judged: Judged): SurpriseNote | null {
    const { p, weight, score } = this.#surprise
    if (p === null || p >= UNUSUAL_P || weight === 0) return null
    const { flowId, startUs, lastUs } = judged
    return { p, weight, score, flowId, startUs, lastUs, top: this.explain(EXPLAINED_MAX) }
  }

  /** The features of the flow just scored that made it unusual, the rarest first, beside what is normal in its group. */
  explain(max: number): Contribution[] {
    const { values, bins, contributions, group } = this.#surprise
    const telling = SURPRISAL_FEATURES.map((_, j) => j).filter((j) => contributions[j] >= TELLING_MIN)
    telling.sort((a, b) => contributions[b] - contributions[a] || a - b)
    return telling.slice(0, max).map((j) => {
      const { share, votes, isGroupKnown, median, p95 } = rarityOf(this.base, group, j, bins[j])
      const { name, words } = SURPRISAL_FEATURES[j]
      const oneIn = num(1 / share, '1/N')
      return {
        feature: name,
        words,
        value: featureNum(j, values[j]),
        oneIn,
        among: isGroupKnown ? `flows of ${groupWords(group)}` : 'flows of any service, since none of this one was seen before',
        scope: isGroupKnown ? 'this service' : 'this network',
        votes: Math.round(votes),
        median: featureNum(j, median),
        p95: featureNum(j, p95),
      }
    })
  }

  /** The host's window after the flow just scored; null for outside clients and ordinary windows. */
  observeHost(judged: Judged, observed: Observed, note: SurpriseNote | null): HostWindow | null {
    if (!judged.isClientInternal || judged.addr[CLIENT] === '') return null
    return this.hostWindows.observe(judged, observed, note)
  }

  /** After the arrays were filled from a snapshot. */
  refit(): void {
    this.#tables.rebuild(this.base)
    for (const calibration of [...this.calibrations, this.hostWindows.calibration]) calibration.refit()
  }

  #commit(): void {
    const { lifeCycle, base, held, shadow } = this
    const isFirst = lifeCycle.record.commits === 0
    const { isSteady } = lifeCycle
    const hasChanged = isSteady && this.#looksChanged()
    const decay = hasChanged ? DRIFT_DECAY : isSteady ? COMMIT_DECAY : 1
    this.#turnDay()
    if (isFirst) base.takeOver(shadow)
    else {
      base.take(held, decay)
      held.takeOver(shadow)
    }
    for (const calibration of [...this.calibrations, this.hostWindows.calibration]) calibration.commit()
    this.#tables.rebuild(base)
    lifeCycle.noteCommit(hasChanged || (lifeCycle.record.isDrifting && this.driftedCommits > 0))
  }

  #turnDay(): void {
    const size = FEATURE_COUNT * BINS
    this.lastDay.copyWithin(0, size)
    this.lastDay.set(this.shadow.all, this.lastDay.length - size)
  }

  /** Another network for two commits in a row, with nothing suspicious going on that would explain it. */
  #looksChanged(): boolean {
    const size = FEATURE_COUNT * BINS
    const recent = Float64Array.from(this.shadow.all)
    for (let i = size; i < this.lastDay.length; i++) recent[i % size] += this.lastDay[i]
    const drifted = this.lifeCycle.hasSeenWeek && this.#options.isQuiet() ? driftOf(this.base.all, recent) : []
    this.driftedCommits = drifted.length >= DRIFT_FEATURES_MIN ? this.driftedCommits + 1 : 0
    if (this.driftedCommits < DRIFT_COMMITS_MIN) return false
    this.driftedCommits = 0
    this.changed = drifted
    return true
  }
}

/** How many flows of this group the host had in this minute, this one included. */
function countVote(votes: VoteTally, minute: number, group: number): number {
  if (votes.minute !== minute) {
    votes.minute = minute
    votes.group = group
    votes.flows = 0
    votes.others?.clear()
  }
  if (votes.group === group) return ++votes.flows
  votes.others ??= new Map()
  const k = (votes.others.get(group) ?? 0) + 1
  votes.others.set(group, k)
  return k
}
