/**
 * The judging stage: flows in, alert events out.
 *
 *   flow → orientation → host windows → surprise → detectors → benign explanations, likelihood, severity → episodes → emit
 *                                          └─────────────────── learnt, unless an open episode took the flow ◀──────┘
 *
 * In:  finished flows in row order, packet time between them; a baseline to start from, or none.
 * Out: alert events; a plain object of counters; the baseline as it stands.
 * Not: words beyond the templates in evidence; reports are explain/'s. Not a clock: time is what the flows and `onTime` say.
 * The invariant: the same flows in the same order give the same events.
 */

import type { NetworkSet } from '../base/address.ts'
import type { OptionTable } from '../base/option.ts'
import { eveTime } from '../base/packet-time.ts'
import { CLIENT } from '../context/contact.ts'
import { Context } from '../context/context.ts'
import type { SlowConnections } from '../context/slow-connections.ts'
import type { Observed } from '../context/windows.ts'
import type { LinkSighting } from '../decode/link-sighting.ts'
import type { DestinationCounters } from '../flow/destination-counters.ts'
import { type Flow, PROTO_ARP } from '../flow/flow.ts'
import type { Seen } from '../flow/health.ts'
import { anomalyDraft, plainFlowDraft } from './anomaly-evidence.ts'
import { LOGIN_PORTS } from './detectors/brute-login.ts'
import type { AnyDetector, ArpDetector, ArpLook, Detector, Finding, Look } from './detectors/detector.ts'
import type { DetectorSection } from './detectors/table.ts'
import { DETECTORS } from './detectors/table.ts'
import type { Episode, Occasion } from './episodes.ts'
import { Episodes, type VerdictOf } from './episodes.ts'
import type { AlertEvent, AlertEventName, BaselineProgress, Change, Orientation, Suppression, Visibility } from './evidence.ts'
import { flowLikelihood } from './flow-likelihood.ts'
import { judgeFlow } from './flow-verdict.ts'
import { Incidents } from './incidents.ts'
import { type FlowReader, KeptFlows } from './kept-flow.ts'
import type { MuteSubject } from './mutes.ts'
import { Notifier } from './notifier.ts'
import { num } from './number.ts'
import type { ScoreOptions } from './options.ts'
import { type Judged, Orienter } from './orientation.ts'
import { restoreSurprisal, type Snapshot, snapshotOf, totalVotes } from './surprisal/snapshot.ts'
import { Surprisal } from './surprisal/surprisal.ts'
import type { Surprise, SurpriseNote } from './surprisal/surprise.ts'
import type { Verdict, VerdictQuestion } from './verdict.ts'
import { judgeEpisode, likelihoodOf } from './verdict.ts'
import { changesOf } from './what-if/counterfactual.ts'
import type { Measure } from './what-if/measure.ts'
import { arpMeasuresOf, measuresOf } from './what-if/table.ts'

const US_PER_S = 1e6
const US_PER_MS = 1000
/** Episodes end by minutes; looking for the end more often than this changes nothing. */
const SWEEP_EVERY_US = 10 * US_PER_S
const VICTIMS_TOLD_MAX = 16
/** From this likelihood on an episode's flows are not learnt from, and for so long neither is what else its two hosts do. */
const SUSPECT_MIN = 0.2
const SUSPECT_US = 3600 * US_PER_S
const SECONDS_PER_HOUR = 3600
/** Never written to. */
const NO_CLAIMS: readonly Readonly<Episode>[] = []
/** An ARP message names its sender; there is no conversation to orient. */
const BY_SENDER: Orientation = { how: 'sender', confidence: 1, halves: 'orig' }

export interface AnalystOptions extends FlowReader {
  score: ScoreOptions
  /** The run's base second: packet times are relative to it. */
  baseSec: number
  internal: NetworkSet
  /** Asked once an event. What `onSeen` told is filled in here, and `bothHalves`. */
  visibility: () => Visibility
  emit: (event: AlertEvent) => void
  /** Shown each flow in context, before detectors judge it: what a report on a single flow is made from. */
  onLook?: (look: Look) => void
  /** Told of each candidate that never became an alert, as last judged. */
  onDropped?: (event: AlertEvent) => void
  /** Told of each flow that belongs to no open episode when it is judged, as an event of its own (flow-verdict.ts). */
  onPlainFlow?: (event: AlertEvent) => void
  /** Kinds that cannot be judged from what is read, as from sampled records. */
  kindsLeftOut?: ReadonlySet<string>
  /** The site's rule that mutes such an episode; absent: nothing is muted. */
  muteOf?: ((subject: MuteSubject) => Suppression | null) | undefined
  sensor: AlertEvent['sensor']
  featureSet: string
  /** A baseline to begin with; absent: it learns from nothing. */
  baseline?: Snapshot
  /** Told at each commit of the baseline: the moment to store it. */
  onCommit?: () => void
  /** Told of every finished flow; `surprise` is overwritten by the next one. */
  onFlowJudged?: (flow: JudgedFlow) => void
}

/** Does a piece of work on one record; whether a bug in it takes the run down is for whoever runs it to say. */
export type Guarded = (what: string, record: unknown, work: () => void) => void

export interface JudgedFlow {
  judged: Judged
  surprise: Surprise
  likelihood: number
  /** Id of the likeliest episode that took the flow; null when none did. */
  episodeId: string | null
  /** The features that made it unusual beside what is normal, the rarest first. */
  explain: Surprisal['explain']
}

/** A detector with what is set for it. */
interface Configured<D, Seen> {
  detector: D
  options: ScoreOptions[DetectorSection]
  measures: readonly Measure<unknown, Seen>[]
}

type FlowSeat = Configured<Detector<OptionTable>, Look>
type ArpSeat = Configured<ArpDetector<OptionTable>, ArpLook>

/** What a finding is judged with, beside itself. */
interface Judging {
  occasion: Occasion
  nowUs: number
  victimCount: number
  rarest: SurpriseNote | null
}

export class Analyst {
  #options: AnalystOptions
  readonly #context: Context
  readonly #orienter: Orienter
  readonly #episodes: Episodes
  readonly #notifier: Notifier
  readonly #incidents = new Incidents()
  readonly #surprisal: Surprisal
  #flowDetectors: readonly FlowSeat[]
  #arpDetectors: readonly ArpSeat[]
  #nowUs = Number.NEGATIVE_INFINITY
  #sweepAtUs = Number.NEGATIVE_INFINITY
  #flowsJudged = 0
  #countersNotJudged = 0

  constructor(options: AnalystOptions) {
    const { alerts, context } = options.score
    this.#options = options
    this.#context = new Context(context, LOGIN_PORTS, options.baseSec)
    this.#orienter = new Orienter(options.internal, this.#context.services)
    this.#notifier = new Notifier(alerts.notifications_per_day, options.baseSec)
    const episodes = {
      ...episodeLimits(alerts),
      episodesMax: alerts.episodes_max,
      baseSec: options.baseSec,
      muteOf: options.muteOf && ((episode: Episode, victims: readonly string[]) => this.#muteOf(episode, victims)),
    }
    this.#episodes = new Episodes(
      episodes,
      this.#notifier,
      (episode, event) => this.#tell(episode, event),
      (episode) => options.onDropped?.(this.#eventOf(episode, 'close')),
    )
    this.#surprisal = new Surprisal({ context: this.#context, baseSec: options.baseSec, isQuiet: () => this.#episodes.isQuiet })
    if (options.baseline !== undefined) {
      restoreSurprisal(this.#surprisal, options.baseline)
      this.#context.histories.restore(options.baseline.histories, Math.floor(options.baseSec / SECONDS_PER_HOUR))
    }
    const detectors = detectorsFor(options)
    this.#flowDetectors = detectors.flow
    this.#arpDetectors = detectors.arp
  }

  /**
   * Judges by other thresholds, networks and roles from the next flow on. Windows, episodes and what is known of hosts stay; sizes of
   * tables stay as they were at start.
   */
  change(changed: Pick<AnalystOptions, 'score' | 'internal' | 'sensor'>): void {
    const { alerts } = changed.score
    this.#options = { ...this.#options, ...changed }
    const detectors = detectorsFor(this.#options)
    this.#flowDetectors = detectors.flow
    this.#arpDetectors = detectors.arp
    this.#orienter.change(changed.internal)
    this.#episodes.change(episodeLimits(alerts))
    this.#notifier.change(alerts.notifications_per_day)
  }

  onFlow(flow: Flow): void {
    this.onTime(flow.endUs)
    this.#flowsJudged++
    const judged = this.#orienter.judge(flow, this.#context.visibility.share())
    // Hosts without a name are not one host: such a flow is judged alone.
    if (flow.record?.hasAddresses === false) return this.#tellPlainFlow(judged, null, [])
    const observed = this.#context.observe(judged)
    const surprisal = this.#surprisal
    const surprise = surprisal.score(judged, observed)
    const note = surprisal.noteOf(judged)
    const hostWindow = surprisal.observeHost(judged, observed, note)
    const look = { judged, observed, context: this.#context, surprisal, hostWindow }
    this.#options.onLook?.(look)
    const claims = this.#detect(look, note)
    surprisal.changed = null
    const claimedBy = claims.length === 0 ? null : claims.reduce((a, b) => (b.verdict.likelihood > a.verdict.likelihood ? b : a))
    if (claimedBy !== null && claimedBy.verdict.likelihood >= SUSPECT_MIN) suspect(judged, observed)
    if (claims.some(isFlood) && observed.target.served !== null) observed.target.served.isSuspect = true
    const isSuspect = judged.endUs < observed.pair.suspectUntilMs * US_PER_MS
    if (!isSuspect && observed.background === null) surprisal.learn(judged, observed)
    if (this.#options.onFlowJudged !== undefined) this.#tellFlow(judged, surprise, claimedBy)
    this.#tellPlainFlow(judged, note, claims)
  }

  /** The episodes that took the flow, of those that rest on more than rarity. */
  #detect(look: Look, note: SurpriseNote | null): readonly Readonly<Episode>[] {
    let claims = NO_CLAIMS
    for (const seat of this.#flowDetectors) {
      const finding = seat.detector.detect(look, seat.options)
      if (finding === null) continue
      const episode = this.#takeFlow(seat, finding, look, { isStillOpen: false, note })
      if (seat.detector.isAnomalyOnly !== true) claims = [...claims, episode]
    }
    return claims
  }

  #tellFlow(judged: Judged, surprise: Surprise, claimedBy: Readonly<Episode> | null): void {
    const { p, weight } = surprise
    const standing = {
      claimedBy: claimedBy?.verdict.likelihood ?? null,
      actorOf: this.#episodes.likelihoodOf(judged.addr[CLIENT]),
      p,
      weight,
    }
    this.#options.onFlowJudged?.({
      judged,
      surprise,
      likelihood: flowLikelihood(standing),
      episodeId: claimedBy?.id ?? null,
      explain: (max) => this.#surprisal.explain(max),
    })
  }

  #tellPlainFlow(judged: Judged, note: SurpriseNote | null, claims: readonly Readonly<Episode>[]): void {
    const { onPlainFlow, baseSec, sensor, featureSet } = this.#options
    if (onPlainFlow === undefined || claims.some((episode) => episode.isOpen)) return
    const kept = new KeptFlows()
    kept.offer(judged, 1, this.#context, this.#options, baseSec)
    const candidates = claims.map((episode) => episode.verdict).sort((a, b) => b.likelihood - a.likelihood)
    const anomaly = plainFlowDraft(note)
    const { state, ...baseline } = this.baseline
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
      baselineState: state,
      baseline,
      visibility: { ...this.#options.visibility(), bothHalves: this.#context.visibility.share() },
      flows: kept.list,
      features: kept.features,
      windowFeatures: kept.windowFeatures,
      featureSet,
      sensor,
    })
  }

  /**
   * Rows so far of flows that are still open at `nowUs`; their finished rows come later and count in full. What adds up is not
   * touched: only detectors that read open flows look, and once for all connections of a client with a service.
   */
  onOpenFlows(flows: readonly Flow[], nowUs: number, guarded: Guarded): void {
    this.onTime(nowUs)
    const looks = new Map<SlowConnections, Look>()
    for (const flow of flows) guarded('open-flow', flow, () => this.#lookAtOpen(flow, nowUs, looks))
    for (const look of looks.values()) guarded('open-flow', look.judged, () => this.#judgeOpen(look))
  }

  #lookAtOpen(flow: Flow, nowUs: number, looks: Map<SlowConnections, Look>): void {
    const judged = this.#orienter.judge(flow, this.#context.visibility.share())
    const observed = this.#context.observeInterim(judged, nowUs)
    if (observed.slow !== null)
      looks.set(observed.slow, { judged, observed, context: this.#context, surprisal: this.#surprisal, hostWindow: null })
  }

  /** What the meter counted in one second for one destination, open flows included, and the row so far of one of those flows. */
  onDestinationCounters(counters: DestinationCounters, example: Flow): void {
    this.onTime(counters.lastUs)
    const judged = this.#orienter.judge(example, this.#context.visibility.share())
    const observed = this.#context.observeCounters(counters, judged)
    if (observed === null) this.#countersNotJudged++
    else this.#judgeOpen({ judged, observed, context: this.#context, surprisal: this.#surprisal, hostWindow: null })
  }

  #judgeOpen(look: Look): void {
    for (const seat of this.#flowDetectors) {
      if (seat.detector.readsOpenFlows !== true) continue
      const finding = seat.detector.detect(look, seat.options)
      if (finding !== null) this.#takeFlow(seat, finding, look, { isStillOpen: true, note: null })
    }
  }

  /** An ARP message or a carried packet; in order of time. */
  onLink(sighting: LinkSighting): void {
    const { arp } = this.#context
    const { atUs } = sighting
    this.onTime(atUs)
    if (sighting.kind === 'arp') {
      const message = arp.noteArp(sighting)
      this.#lookAtArp({ atUs, station: message.station, message, arp })
    } else {
      const station = arp.noteCarried(sighting)
      if (station !== null) this.#lookAtArp({ atUs, station, message: null, arp })
    }
  }

  #lookAtArp(look: ArpLook): void {
    for (const seat of this.#arpDetectors) {
      const { detector, options } = seat
      const finding = detector.detectArp(look, options)
      if (finding === null) continue
      // Whoever sends ARP is on this segment; whether the segment is ours, its addresses tell.
      const isInside = this.#options.internal.has(finding.actor) || this.#options.internal.has(finding.victim)
      const side = { isClientInternal: isInside, direction: isInside ? ('lat' as const) : ('unknown' as const) }
      const occasion = { proto: PROTO_ARP, orientation: BY_SENDER, startUs: look.atUs, lastUs: look.atUs, ...side }
      this.#takeArp(seat, finding, look, occasion)
    }
  }

  /** What the meter has seen so far; told before the rows and interim news that come with it. */
  onSeen(seen: Seen): void {
    this.#context.captured.note(seen)
  }

  /** Packet time has come this far; never goes back. */
  onTime(nowUs: number): void {
    if (nowUs <= this.#nowUs) return
    this.#nowUs = nowUs
    this.#context.advance(nowUs)
    this.#incidents.advance(nowUs)
    if (this.#surprisal.advance(nowUs)) this.#options.onCommit?.()
    if (nowUs < this.#sweepAtUs) return
    this.#sweepAtUs = nowUs + SWEEP_EVERY_US
    this.#episodes.onTime(nowUs)
  }

  /** The run ends: what is open closes. */
  finish(nowUs: number): void {
    while (this.finishSome(nowUs, Number.POSITIVE_INFINITY));
  }

  /** The same in portions of so many episodes, for those whose sinks want a turn between them. True while some are left. */
  finishSome(nowUs: number, max: number): boolean {
    this.onTime(nowUs)
    return this.#episodes.finishSome(max)
  }

  /** The baseline as it stands, to be stored. */
  snapshot(): Snapshot {
    const takenSec = this.#options.baseSec + Math.max(0, this.#nowUs) / US_PER_S
    return snapshotOf(this.#surprisal, this.#context.histories.record, takenSec)
  }

  /** What a log line or metric says of the baseline. */
  get baseline(): { state: AlertEvent['baselineState'] } & BaselineProgress {
    const { lifeCycle } = this.#surprisal
    return {
      state: lifeCycle.state,
      watched: num(Math.round(lifeCycle.watchedUs / US_PER_S), 's'),
      remaining: lifeCycle.remainingUs === 0 ? null : num(Math.round(lifeCycle.remainingUs / US_PER_S), 's'),
      votes: num(Math.round(totalVotes(this.#surprisal)), 'count'),
      hosts: num(this.#context.histories.counts.hosts, 'count'),
    }
  }

  get counters(): Readonly<Record<string, number>> {
    const { record } = this.#surprisal.lifeCycle
    return {
      baselineCommits: record.commits,
      baselineWatchedSeconds: Math.floor(record.watchedUs / US_PER_S),
      baselineVotes: Math.round(totalVotes(this.#surprisal)),
      hostsNotWatched: this.#surprisal.hostWindows.hostsNotWatched,
      flowsJudged: this.#flowsJudged,
      countersNotJudged: this.#countersNotJudged,
      ...this.#episodes.counters,
      incidentsJoined: this.#incidents.joinedCount,
      notified: this.#notifier.notifiedCount,
      notificationsHeldBack: this.#notifier.heldBackCount,
      ...this.#context.counters,
    }
  }

  #takeFlow(
    seat: FlowSeat,
    finding: Finding,
    look: Look,
    { isStillOpen, note }: { isStillOpen: boolean; note: SurpriseNote | null },
  ): Readonly<Episode> {
    const { judged } = look
    const { detector } = seat
    const keep = (kept: KeptFlows): void => kept.offer(judged, finding.telling, this.#context, this.#options, this.#options.baseSec)
    const verdictOf: VerdictOf = (victimCount, rarest, before) => {
      const verdict = judgeEpisode(this.#questionOf(detector, finding, { occasion: judged, nowUs: judged.endUs, victimCount, rarest }))
      return { ...verdict, changes: this.#changesOf(seat, look, verdict, { victimCount, rarest, before: before?.changes ?? [] }) }
    }
    const { proto, orientation, startUs, lastUs, isClientInternal, direction } = judged
    const occasion = { proto, orientation, startUs, lastUs, isClientInternal, direction, isStillOpen }
    return this.#episodes.take({ detector, finding, occasion, verdictOf, note, keep })
  }

  #takeArp(seat: ArpSeat, finding: Finding, look: ArpLook, occasion: Occasion): void {
    const { detector, options, measures } = seat
    const verdictOf: VerdictOf = (victimCount, rarest, before) => {
      const judging = { occasion, nowUs: look.atUs, victimCount, rarest }
      const verdict = judgeEpisode(this.#questionOf(detector, finding, judging))
      const likelihoodMin = this.#options.score.alerts.likelihood_min
      if (verdict.likelihood < likelihoodMin) return verdict
      const rejudge = (changed: ArpLook): number | null => {
        const other = detector.detectArp(changed, options)
        return other === null ? null : likelihoodOf(this.#questionOf(detector, other, judging))
      }
      return { ...verdict, changes: changesOf({ look, rejudge, measures, options, likelihoodMin, before: before?.changes ?? [] }) }
    }
    this.#episodes.take({ detector, finding, occasion, verdictOf, note: null, keep: () => undefined })
  }

  #questionOf(detector: AnyDetector, finding: Finding, { occasion, nowUs, victimCount, rarest }: Judging): VerdictQuestion {
    const side = finding.side ?? { isActorInternal: occasion.isClientInternal, direction: occasion.direction }
    const assessment = finding.assess(victimCount)
    return {
      detector,
      actor: finding.actor,
      victim: finding.victim,
      ...side,
      victimCount,
      assessment,
      anomaly: detector.isAnomalyOnly === true ? null : anomalyDraft(rarest),
      chain: this.#incidents.supportFor(detector.kind, finding.actor, assessment.evidence[0].sample),
      context: this.#context,
      roles: this.#options.score.roles,
      nowSec: this.#options.baseSec + nowUs / US_PER_S,
    }
  }

  /** Now or never: the windows move on with the next flow. */
  #changesOf(
    seat: FlowSeat,
    look: Look,
    verdict: Verdict,
    { victimCount, rarest, before }: Pick<Judging, 'victimCount' | 'rarest'> & { before: readonly Change[] },
  ): Change[] {
    const likelihoodMin = this.#options.score.alerts.likelihood_min
    if (verdict.likelihood < likelihoodMin) return []
    const { detector, options, measures } = seat
    const rejudge = (changed: Look): number | null => {
      const finding = detector.detect(changed, options)
      if (finding === null) return null
      const judging = { occasion: changed.judged, nowUs: changed.judged.endUs, victimCount, rarest }
      return likelihoodOf(this.#questionOf(detector, finding, judging))
    }
    return changesOf({ look, rejudge, measures, options, likelihoodMin, before })
  }

  #tell(episode: Episode, event: AlertEventName): void {
    // What closes ended long ago: it makes nothing younger.
    if (event !== 'close') this.#noteStep(episode)
    this.#options.emit(this.#eventOf(episode, event))
  }

  /** By the time of its newest packet: when a rule ends, does not depend on when we look. */
  #muteOf({ detector, actor, verdict, lastUs }: Episode, victims: readonly string[]): Suppression | null {
    const atSec = this.#options.baseSec + lastUs / US_PER_S
    return this.#options.muteOf?.({ kind: detector.kind, actor, victims, servicePort: verdict.servicePort, atSec }) ?? null
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
    const { state, ...baseline } = this.baseline
    return {
      id: episode.id,
      event,
      kind: episode.detector.kind,
      title: episode.detector.title,
      ...verdict,
      counterfactual: { threshold: this.#options.score.alerts.likelihood_min, changes: changes ?? [], observations },
      calibration: 'prior',
      shouldNotify: episode.shouldNotify,
      ...(episode.suppressed === null ? {} : { suppressed: episode.suppressed }),
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
      baselineState: state,
      baseline,
      visibility: {
        ...this.#options.visibility(),
        ...this.#context.captured.since(episode.firstUs),
        bothHalves: this.#context.visibility.share(),
      },
      flows: episode.kept.list,
      features: episode.kept.features,
      windowFeatures: episode.kept.windowFeatures,
      ...(incident === null ? {} : { incident }),
      featureSet,
      sensor,
    }
  }
}

interface ConfiguredDetectors {
  flow: FlowSeat[]
  arp: ArpSeat[]
}

function detectorsFor({ score, kindsLeftOut }: AnalystOptions): ConfiguredDetectors {
  const sections = Object.keys(DETECTORS) as DetectorSection[]
  const rows = sections
    .map((section) => ({ detector: DETECTORS[section], options: score[section], section }))
    .filter(({ detector }) => kindsLeftOut?.has(detector.kind) !== true)
  return {
    flow: rows.flatMap(({ detector, options, section }) =>
      'detect' in detector ? [{ detector, options, measures: measuresOf(section) }] : [],
    ),
    arp: rows.flatMap(({ detector, options, section }) =>
      'detectArp' in detector ? [{ detector, options, measures: arpMeasuresOf(section) }] : [],
    ),
  }
}

function episodeLimits(alerts: ScoreOptions['alerts']) {
  return {
    likelihoodMin: alerts.likelihood_min,
    quietUs: alerts.episode_quiet_s * US_PER_S,
    reopenUs: alerts.reopen_s * US_PER_S,
  }
}

/** What a flooded server gets in that hour is not what it usually gets. */
function isFlood({ detector, verdict }: Readonly<Episode>): boolean {
  return detector.kind.startsWith('flood.') && verdict.likelihood >= SUSPECT_MIN
}

/** What the two do from now on is not learnt from, for a while; and the actor's hour does not become usual. */
function suspect(judged: Judged, { pair, client }: Observed): void {
  pair.suspectUntilMs = Math.ceil((judged.endUs + SUSPECT_US) / US_PER_MS)
  if (client.hour !== null) client.hour.isSuspect = true
}
