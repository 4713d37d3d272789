/**
 * The judging stage: flows in, alert events out.
 *
 *   flow → orientation → host windows → detectors → benign explanations, likelihood, severity → episodes → emit
 *
 * In:  finished flows in row order, packet time between them. Out: alert events; a plain object of counters.
 * Not: words beyond the templates in evidence; reports are explain/'s. Not a clock: time is what the flows and `onTime` say.
 * The invariant: the same flows in the same order give the same events.
 */

import type { NetworkSet } from '../base/address.ts'
import { eveTime } from '../base/packet-time.ts'
import { Context, type Observed } from '../context/context.ts'
import type { ArpSighting } from '../decode/arp-sighting.ts'
import type { DestinationCounters } from '../flow/destination-counters.ts'
import type { Flow } from '../flow/flow.ts'
import { LOGIN_PORTS } from './detectors/brute-login.ts'
import type { AnyDetector, Draft, Finding, Look } from './detectors/detector.ts'
import type { DetectorSection } from './detectors/table.ts'
import { DETECTORS } from './detectors/table.ts'
import type { Episode } from './episodes.ts'
import { Episodes } from './episodes.ts'
import type { AlertEvent, AlertEventName, Change, Visibility } from './evidence.ts'
import { judgeFlow } from './flow-verdict.ts'
import { Incidents } from './incidents.ts'
import { type FlowReader, KeptFlows } from './kept-flow.ts'
import { Notifier } from './notifier.ts'
import type { ScoreOptions } from './options.ts'
import { type Judged, Orienter } from './orientation.ts'
import type { Verdict, VerdictQuestion } from './verdict.ts'
import { judgeEpisode, likelihoodOf } from './verdict.ts'
import { changesOf } from './what-if/counterfactual.ts'
import type { Measure } from './what-if/measure.ts'
import { measuresOf } from './what-if/table.ts'

const US_PER_S = 1e6
/** Episodes end by minutes; looking for the end more often than this changes nothing. */
const SWEEP_EVERY_US = 10 * US_PER_S
const VICTIMS_TOLD_MAX = 16

export interface AnalystOptions extends FlowReader {
  score: ScoreOptions
  /** The run's base second: packet times are relative to it. */
  baseSec: number
  internal: NetworkSet
  /** Asked once an event. `bothHalves` is filled in here. */
  visibility: () => Visibility
  emit: (event: AlertEvent) => void
  /** Shown each flow in context, before detectors judge it: what a report on a single flow is made from. */
  onLook?: (look: Look) => void
  /** Told of each candidate that never became an alert, as last judged. */
  onDropped?: (event: AlertEvent) => void
  /** Told of each flow that belongs to no open episode when it is judged, as an event of its own (flow-verdict.ts). */
  onPlainFlow?: (event: AlertEvent) => void
  /** What the anomaly model makes of a flow; absent without one. Its windows are null where a record names no hosts. */
  anomalyOf?: (judged: Judged, observed: Observed | null) => Draft | null
  /** Kinds that cannot be judged from what is read, as from sampled records. */
  kindsLeftOut?: ReadonlySet<string>
  sensor: AlertEvent['sensor']
  featureSet: string
}

/** A detector with what is set for it. */
interface Seat {
  detector: AnyDetector
  options: ScoreOptions[DetectorSection]
  measures: readonly Measure<unknown>[]
}

export class Analyst {
  readonly #options: AnalystOptions
  readonly #context: Context
  readonly #orienter: Orienter
  readonly #episodes: Episodes
  readonly #notifier: Notifier
  readonly #incidents = new Incidents()
  readonly #detectors: readonly Seat[]
  #nowUs = Number.NEGATIVE_INFINITY
  #sweepAtUs = Number.NEGATIVE_INFINITY
  #flowsJudged = 0

  constructor(options: AnalystOptions) {
    const { alerts, context } = options.score
    this.#options = options
    this.#context = new Context(context, LOGIN_PORTS, options.baseSec)
    this.#orienter = new Orienter(options.internal, this.#context.services)
    this.#notifier = new Notifier(alerts.notifications_per_day, options.baseSec)
    const episodes = {
      likelihoodMin: alerts.likelihood_min,
      quietUs: alerts.episode_quiet_s * US_PER_S,
      reopenUs: alerts.reopen_s * US_PER_S,
      episodesMax: alerts.episodes_max,
      baseSec: options.baseSec,
    }
    this.#episodes = new Episodes(
      episodes,
      this.#notifier,
      (episode, event) => this.#tell(episode, event),
      (episode) => options.onDropped?.(this.#eventOf(episode, 'close')),
    )
    this.#detectors = sectionsOf()
      .map((section) => ({ detector: DETECTORS[section], options: options.score[section], measures: measuresOf(section) }))
      .filter(({ detector }) => options.kindsLeftOut?.has(detector.kind) !== true)
  }

  onFlow(flow: Flow): void {
    this.onTime(flow.endUs)
    this.#flowsJudged++
    const judged = this.#orienter.judge(flow, this.#context.visibility.share())
    // Hosts without a name are not one host: such a flow is judged alone.
    if (flow.record?.hasAddresses === false) return this.#tellPlainFlow(judged, null, [])
    const observed = this.#context.observe(judged)
    const look = { judged, observed, context: this.#context }
    this.#options.onLook?.(look)
    const claims: Readonly<Episode>[] = []
    for (const seat of this.#detectors) {
      const finding = seat.detector.detect(look, seat.options)
      if (finding !== null) claims.push(this.#take(seat, finding, look))
    }
    this.#tellPlainFlow(judged, observed, claims)
  }

  #tellPlainFlow(judged: Judged, observed: Observed | null, claims: readonly Readonly<Episode>[]): void {
    const { onPlainFlow, anomalyOf, baseSec, sensor, featureSet } = this.#options
    if (onPlainFlow === undefined || claims.some((episode) => episode.isOpen)) return
    const kept = new KeptFlows()
    kept.offer(judged, 1, this.#context, this.#options, baseSec)
    const candidates = claims.map((episode) => episode.verdict).sort((a, b) => b.likelihood - a.likelihood)
    const anomaly = anomalyOf?.(judged, observed) ?? null
    onPlainFlow({
      id: `flow-${judged.flowId}-${eveTime(baseSec, judged.startUs).replace(/\D/g, '').slice(0, 20)}`,
      event: 'close',
      ...judgeFlow({ judged, candidate: candidates[0] ?? null, anomaly, kept }),
      calibration: 'prior',
      shouldNotify: false,
      heldBackCount: 0,
      episode: {
        flows: 1,
        firstUs: judged.startUs,
        lastUs: judged.lastUs,
        first: eveTime(baseSec, judged.startUs),
        last: eveTime(baseSec, judged.lastUs),
      },
      baselineState: 'none',
      visibility: { ...this.#options.visibility(), bothHalves: this.#context.visibility.share() },
      flows: kept.list,
      features: kept.features,
      windowFeatures: kept.windowFeatures,
      featureSet,
      sensor,
    })
  }

  /**
   * The row so far of a flow that is still open; its finished row comes later and counts in full. What adds up is not touched:
   * only detectors that read open flows look at it.
   */
  onOpenFlow(flow: Flow): void {
    const judged = this.#orienter.judge(flow, this.#context.visibility.share())
    const observed = this.#context.observeInterim(judged)
    const look = { judged, observed, context: this.#context }
    for (const seat of this.#detectors) {
      if (seat.detector.readsOpenFlows !== true) continue
      const finding = seat.detector.detect(look, seat.options)
      if (finding !== null) this.#take(seat, finding, look)
    }
  }

  /** What the meter counted in one second for one destination, open flows included; judged when its next row or open flow comes. */
  onDestinationCounters(counters: DestinationCounters): void {
    this.#context.noteCounters(counters)
  }

  /** ARP messages of one second, in order. */
  onArp(sightings: readonly ArpSighting[]): void {
    for (const { atUs } of sightings) this.onTime(atUs)
  }

  /** Packet time has come this far; never goes back. */
  onTime(nowUs: number): void {
    if (nowUs <= this.#nowUs) return
    this.#nowUs = nowUs
    this.#context.advance(nowUs)
    this.#incidents.advance(nowUs)
    if (nowUs < this.#sweepAtUs) return
    this.#sweepAtUs = nowUs + SWEEP_EVERY_US
    this.#episodes.onTime(nowUs)
  }

  /** The run ends: what is open closes. */
  finish(nowUs: number): void {
    this.onTime(nowUs)
    this.#episodes.finish()
  }

  get counters(): Readonly<Record<string, number>> {
    return {
      flowsJudged: this.#flowsJudged,
      ...this.#episodes.counters,
      incidentsJoined: this.#incidents.joinedCount,
      notified: this.#notifier.notifiedCount,
      notificationsHeldBack: this.#notifier.heldBackCount,
      ...this.#context.counters,
    }
  }

  #take(seat: Seat, finding: Finding, look: Look): Readonly<Episode> {
    const { detector } = seat
    const { judged } = look
    const verdictOf = (victimCount: number, before: Verdict | null): Verdict => {
      const verdict = judgeEpisode(this.#questionOf(seat, look, finding, victimCount))
      return { ...verdict, changes: this.#changesOf(seat, look, verdict, victimCount, before?.changes ?? []) }
    }
    const keep = (kept: KeptFlows): void => kept.offer(judged, finding.telling, this.#context, this.#options, this.#options.baseSec)
    return this.#episodes.take({ detector, finding, judged, verdictOf, keep })
  }

  #questionOf({ detector }: Seat, { judged }: Look, finding: Finding, victimCount: number): VerdictQuestion {
    const side = finding.side ?? { isActorInternal: judged.isClientInternal, direction: judged.direction }
    const assessment = finding.assess(victimCount)
    return {
      detector,
      actor: finding.actor,
      ...side,
      victimCount,
      assessment,
      chain: this.#incidents.supportFor(detector.kind, finding.actor, assessment.evidence[0].sample),
      context: this.#context,
      roles: this.#options.score.roles,
      nowSec: this.#options.baseSec + judged.endUs / US_PER_S,
    }
  }

  /** Now or never: the windows move on with the next flow. */
  #changesOf(seat: Seat, look: Look, verdict: Verdict, victimCount: number, before: readonly Change[]): Change[] {
    const likelihoodMin = this.#options.score.alerts.likelihood_min
    if (verdict.likelihood < likelihoodMin) return []
    const { detector, options, measures } = seat
    const rejudge = (changed: Look): number | null => {
      const finding = detector.detect(changed, options)
      return finding === null ? null : likelihoodOf(this.#questionOf(seat, changed, finding, victimCount))
    }
    return changesOf({ look, rejudge, measures, options, likelihoodMin, before })
  }

  #tell(episode: Episode, event: AlertEventName): void {
    // What closes ended long ago: it makes nothing younger.
    if (event !== 'close') this.#noteStep(episode)
    this.#options.emit(this.#eventOf(episode, event))
  }

  #noteStep(episode: Episode): void {
    this.#incidents.note({
      id: episode.id,
      kind: episode.detector.kind,
      title: episode.detector.title,
      actor: episode.actor,
      victims: episode.victims.keys(),
      first: eveTime(this.#options.baseSec, episode.firstUs),
      firstUs: episode.firstUs,
      hasSucceeded: episode.verdict.hasSucceeded,
    })
  }

  #eventOf(episode: Episode, event: AlertEventName): AlertEvent {
    const { baseSec, sensor, featureSet } = this.#options
    const incident = this.#incidents.incidentOf(episode.id)
    const { hasSucceeded, observations, changes, ...verdict } = episode.verdict
    return {
      id: episode.id,
      event,
      kind: episode.detector.kind,
      title: episode.detector.title,
      ...verdict,
      counterfactual: { threshold: this.#options.score.alerts.likelihood_min, changes: changes ?? [], observations },
      calibration: 'prior',
      shouldNotify: episode.shouldNotify,
      heldBackCount: this.#notifier.heldBackToday,
      actor: episode.actor,
      actorSide: episode.actorSide,
      victims: { addresses: episode.victims.keys().slice(0, VICTIMS_TOLD_MAX), count: episode.victims.count() },
      proto: episode.proto,
      episode: {
        flows: episode.flows,
        firstUs: episode.firstUs,
        lastUs: episode.lastUs,
        first: eveTime(baseSec, episode.firstUs),
        last: eveTime(baseSec, episode.lastUs),
      },
      orientation: episode.orientation,
      baselineState: 'none',
      visibility: { ...this.#options.visibility(), bothHalves: this.#context.visibility.share() },
      flows: episode.kept.list,
      features: episode.kept.features,
      windowFeatures: episode.kept.windowFeatures,
      ...(incident === null ? {} : { incident }),
      featureSet,
      sensor,
    }
  }
}

function sectionsOf(): DetectorSection[] {
  return Object.keys(DETECTORS) as DetectorSection[]
}
