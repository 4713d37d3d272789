/**
 * Alerts are episodes, never flows (SCORER.md section 5.3).
 *
 *   entry test met → candidate → likelihood high enough: open → updates at 10, 30, 100, 300 … flows, or when band or severity
 *   rises → quiet or shutdown: close → the same again within `reopen_s`: open under the old id
 *
 * In:  findings with their verdicts. Out: alert events, through `emit`.
 * Not: the judgement; `verdictOf` is asked for it at most once a finding, and less and less often as an episode grows.
 * The invariant: an id is a function of what was seen: kind, actor, key and first packet time.
 */

import { eveTime } from '../base/packet-time.ts'
import { DistinctWindow, hash32 } from '../context/distinct-window.ts'
import { HostTable } from '../context/host-table.ts'
import type { AnyDetector, Finding } from './detectors/detector.ts'
import type { AlertEventName, Orientation, Suppression } from './evidence.ts'
import { KeptFlows } from './kept-flow.ts'
import type { Notifier } from './notifier.ts'
import type { Direction } from './orientation.ts'
import { LEVELS } from './severity.ts'
import type { SurpriseNote } from './surprisal/surprise.ts'
import type { Verdict } from './verdict.ts'

const US_PER_S = 1e6
const VICTIMS_LISTED = 1024
/** While an episode is small every flow is judged; later only each time it has grown by one in eight. */
const JUDGE_ALL_BELOW = 64
const JUDGE_GROWTH = 9 / 8

export interface EpisodeOptions {
  likelihoodMin: number
  quietUs: number
  reopenUs: number
  episodesMax: number
  baseSec: number
  /** The rule that mutes an episode with these victims as it stands; absent: nothing is muted. */
  muteOf?: ((episode: Episode, victims: readonly string[]) => Suppression | null) | undefined
}

/** Judges an episode with so many victims; `rarest` is its least usual flow, `before` what was last said of it. */
export type VerdictOf = (victimCount: number, rarest: SurpriseNote | null, before: Verdict | null) => Verdict

export interface Episode {
  key: string
  /** What the finding adds to detector and actor in the key. */
  keyPart: string
  id: string
  detector: AnyDetector
  actor: string
  actorSide: 'inside' | 'outside' | 'unknown'
  isOpen: boolean
  proto: number
  orientation: Orientation
  flows: number
  /** Of the finding's flowsSoFar, what is counted in `flows`. */
  flowsCounted: number
  firstUs: number
  lastUs: number
  victims: DistinctWindow<string>
  kept: KeptFlows
  verdict: Verdict
  /** Of its flows the one that the baseline finds rarest. */
  rarest: SurpriseNote | null
  /** Judges what came after `verdict`; null when nothing did. */
  pending: VerdictOf | null
  judgeAtFlows: number
  updateAtFlows: number
  shouldNotify: boolean
  suppressed: Suppression | null
  /** A victim that no rule covered while the episode was muted: kept apart, for the list of victims may be full. */
  unmutedVictim: string | null
}

/** What an episode needs of the flow, or of the ARP message, that a finding was made at. */
export interface Occasion {
  proto: number
  orientation: Orientation
  startUs: number
  lastUs: number
  isClientInternal: boolean
  direction: Direction
  /** The flow is still open: it counts when its row comes. */
  isStillOpen?: boolean
}

export interface Sighting {
  detector: AnyDetector
  finding: Finding
  occasion: Occasion
  /** Judges the episode as it stands; dear, and therefore asked seldom. */
  verdictOf: VerdictOf
  /** The flow's surprise, when it is rare. */
  note: SurpriseNote | null
  /** Offers the flow to the episode's kept ones. */
  keep: (kept: KeptFlows) => void
}

interface Closed {
  id: string
  flows: number
  firstUs: number
  lastUs: number
}

type Emit = (episode: Episode, event: AlertEventName) => void

export class Episodes {
  readonly counters = {
    candidates: 0,
    opened: 0,
    reopened: 0,
    updated: 0,
    closed: 0,
    dropped: 0,
    explained: 0,
    episodesFull: 0,
    candidatesFull: 0,
  }
  #options: EpisodeOptions
  readonly #notifier: Notifier
  readonly #emit: Emit
  readonly #onDropped: (candidate: Episode) => void
  /** Both maps are in order of last activity, the quietest first. */
  readonly #open = new Map<string, Episode>()
  readonly #candidates = new Map<string, Episode>()
  /** Where each detector's last finding went: flows of one attack follow one another, and a key is a text to make and to hash. */
  readonly #latest = new Map<AnyDetector, Episode>()
  readonly #closed: HostTable<Closed>

  constructor(options: EpisodeOptions, notifier: Notifier, emit: Emit, onDropped: (candidate: Episode) => void) {
    this.#options = options
    this.#notifier = notifier
    this.#emit = emit
    this.#onDropped = onDropped
    this.#closed = new HostTable(options.episodesMax * 4, Math.max(US_PER_S, options.reopenUs))
  }

  /** Other limits for episodes open and to come. Tables keep their size, and what they have forgotten stays so. */
  change(options: Pick<EpisodeOptions, 'likelihoodMin' | 'quietUs' | 'reopenUs'>): void {
    this.#options = { ...this.#options, ...options }
  }

  /** One flow that meets a detector's entry test. @returns the episode that it now belongs to. */
  take(sighting: Sighting): Readonly<Episode> {
    const { detector, finding } = sighting
    const latest = this.#latest.get(detector)
    if (latest !== undefined && latest.actor === finding.actor && latest.keyPart === finding.keyPart && this.#isHeld(latest)) {
      this.#goOn(latest, sighting)
      return latest
    }
    const key = `${detector.kind}|${finding.actor}|${finding.keyPart}`
    const known = this.#open.get(key) ?? this.#candidates.get(key)
    if (known !== undefined) this.#goOn(known, sighting)
    const episode = known ?? this.#begin(key, sighting)
    this.#latest.set(detector, episode)
    return episode
  }

  /** Neither closed nor dropped. */
  #isHeld(episode: Episode): boolean {
    return (episode.isOpen ? this.#open : this.#candidates).get(episode.key) === episode
  }

  /** Of the likeliest open episode of this actor; null when there is none. */
  likelihoodOf(actor: string): number | null {
    let most: number | null = null
    for (const { actor: other, verdict, detector } of this.#open.values()) {
      if (other !== actor || detector.isAnomalyOnly === true) continue
      most = Math.max(most ?? 0, verdict.likelihood)
    }
    return most
  }

  /** No episode is open that is about more than rarity. */
  get isQuiet(): boolean {
    for (const episode of this.#open.values()) if (episode.detector.isAnomalyOnly !== true) return false
    return true
  }

  onTime(nowUs: number): void {
    this.#closed.advance(nowUs)
    for (const episode of this.#open.values()) {
      if (nowUs - episode.lastUs <= this.#quietUs(episode)) continue
      this.#close(episode)
    }
    for (const [key, episode] of this.#candidates) {
      if (nowUs - episode.lastUs > this.#quietUs(episode)) this.#drop(key, episode)
    }
  }

  /** Closes so many of the open episodes at most. False when none was left: then the candidates have gone, too. */
  finishSome(max: number): boolean {
    let left = max
    for (const episode of this.#open.values()) {
      if (left-- <= 0) return true
      this.#close(episode)
    }
    for (const [key, episode] of this.#candidates) this.#drop(key, episode)
    return false
  }

  #begin(key: string, { detector, finding, occasion, verdictOf, note, keep }: Sighting): Episode {
    const victims = new DistinctWindow<string>(Number.MAX_SAFE_INTEGER, VICTIMS_LISTED)
    for (const victim of [...finding.victims(), finding.victim]) victims.add(victim, 0)
    const firstUs = Math.min(finding.firstUs, occasion.startUs)
    const episode: Episode = {
      key,
      keyPart: finding.keyPart,
      id: this.#idOf(key, firstUs),
      detector,
      actor: finding.actor,
      actorSide: sideOf(finding, occasion),
      isOpen: false,
      proto: occasion.proto,
      orientation: occasion.orientation,
      flows: finding.flowsInWindow,
      flowsCounted: finding.flowsSoFar ?? 0,
      firstUs,
      lastUs: occasion.lastUs,
      victims,
      kept: new KeptFlows(),
      verdict: verdictOf(victims.count(), note, null),
      rarest: note,
      pending: null,
      judgeAtFlows: 0,
      updateAtFlows: 0,
      shouldNotify: false,
      suppressed: null,
      unmutedVictim: null,
    }
    this.counters.candidates++
    keep(episode.kept)
    if (this.#isBelieved(episode)) this.#openUp(episode)
    else this.#await(episode)
    return episode
  }

  #goOn(episode: Episode, { finding, occasion, verdictOf, note, keep }: Sighting): void {
    const { flowsSoFar } = finding
    if (flowsSoFar === undefined) episode.flows += occasion.isStillOpen === true ? 0 : (finding.adds ?? 1)
    else {
      episode.flows += Math.max(0, flowsSoFar - episode.flowsCounted)
      episode.flowsCounted = Math.max(episode.flowsCounted, flowsSoFar)
    }
    episode.firstUs = Math.min(episode.firstUs, occasion.startUs)
    episode.lastUs = Math.max(episode.lastUs, occasion.lastUs)
    const isNewVictim = episode.victims.add(finding.victim, 0) && episode.victims.count() < JUDGE_ALL_BELOW
    keep(episode.kept)
    const home = episode.isOpen ? this.#open : this.#candidates
    home.delete(episode.key)
    home.set(episode.key, episode)
    episode.pending = verdictOf
    const isRarer = note !== null && (episode.rarest === null || note.p < episode.rarest.p)
    if (isRarer) episode.rarest = note
    const isStep = episode.flows >= episode.judgeAtFlows || (episode.isOpen && episode.flows >= episode.updateAtFlows)
    const outgrowsMute = this.#outgrowsMute(episode, finding.victim)
    const isDue = episode.flows < JUDGE_ALL_BELOW || isStep || finding.telling > 0 || isNewVictim || isRarer || outgrowsMute
    if (!isDue) return
    const before = episode.verdict
    this.#judge(episode)
    if (episode.isOpen) this.#maybeUpdate(episode, before)
    else if (this.#isBelieved(episode)) {
      this.#candidates.delete(episode.key)
      this.#openUp(episode)
    }
  }

  /** Judges what has come since the last time. */
  #judge(episode: Episode): void {
    if (episode.pending === null) return
    const now = episode.pending(episode.victims.count(), episode.rarest, episode.verdict)
    episode.pending = null
    episode.judgeAtFlows = episode.flows * JUDGE_GROWTH
    if (!episode.isOpen || isStronger(episode.verdict, now)) episode.verdict = now
  }

  #isBelieved(episode: Episode): boolean {
    return episode.verdict.likelihood >= (episode.detector.opensFrom ?? this.#options.likelihoodMin)
  }

  #await(episode: Episode): void {
    if (this.#candidates.size >= this.#options.episodesMax) {
      this.counters.candidatesFull++
      for (const [key, quietest] of this.#candidates) {
        this.#drop(key, quietest)
        break
      }
    }
    this.#candidates.set(episode.key, episode)
  }

  /** A candidate that never became likely enough; `explained` when something harmless was found for it. */
  #drop(key: string, episode: Episode): void {
    this.#candidates.delete(key)
    this.counters.dropped++
    if (episode.verdict.benign.some((item) => item.lr < 0)) this.counters.explained++
    this.#onDropped(episode)
  }

  #openUp(episode: Episode): void {
    if (this.#open.size >= this.#options.episodesMax) {
      this.counters.episodesFull++
      for (const quietest of this.#open.values()) {
        this.#close(quietest)
        break
      }
    }
    this.#continueClosed(episode)
    episode.isOpen = true
    this.#open.set(episode.key, episode)
    episode.updateAtFlows = nextStep(episode.flows)
    episode.suppressed = this.#muteOf(episode)
    episode.shouldNotify = this.#mayNotify(episode)
    this.#emit(episode, 'open')
  }

  /** What is muted uses up nothing of the day's budget. */
  #mayNotify({ suppressed, detector, actor, verdict, lastUs }: Episode): boolean {
    return suppressed === null && this.#notifier.mayNotify(detector.kind, actor, levelOf(verdict), lastUs)
  }

  #muteOf(episode: Episode): Suppression | null {
    const { muteOf } = this.#options
    if (muteOf === undefined) return null
    const beyond = episode.unmutedVictim === null ? [] : [episode.unmutedVictim]
    return muteOf(episode, [...episode.victims.keys(), ...beyond])
  }

  /** Whether a muted episode has reached a victim that no rule covers. */
  #outgrowsMute(episode: Episode, victim: string): boolean {
    if (episode.suppressed === null || this.#options.muteOf?.(episode, [victim]) !== null) return false
    episode.unmutedVictim = victim
    return true
  }

  /** The same key again within `reopenUs` goes on where it ended, under the old id. */
  #continueClosed(episode: Episode): void {
    const closed = this.#closed.peek(episode.key)
    if (closed === undefined || episode.lastUs - closed.lastUs > this.#options.reopenUs) {
      this.counters.opened++
      return
    }
    this.counters.reopened++
    episode.id = closed.id
    // A window that reaches back into the old episode holds flows that were counted there.
    episode.flows = closed.flows + (episode.firstUs <= closed.lastUs ? 1 : episode.flows)
    episode.firstUs = closed.firstUs
  }

  #maybeUpdate(episode: Episode, before: Verdict): void {
    const hasGrown = episode.flows >= episode.updateAtFlows
    const hasRisen = levelOf(episode.verdict) > levelOf(before) || bandRises(before, episode.verdict)
    const wasMuted = episode.suppressed !== null
    if (hasGrown || hasRisen || wasMuted) episode.suppressed = this.#muteOf(episode)
    const isUnmuted = wasMuted && episode.suppressed === null
    if (!hasGrown && !hasRisen && !isUnmuted) return
    if (hasGrown) episode.updateAtFlows = nextStep(episode.flows)
    this.counters.updated++
    episode.shouldNotify = (isUnmuted || levelOf(episode.verdict) > levelOf(before)) && this.#mayNotify(episode)
    this.#emit(episode, 'update')
  }

  #close(episode: Episode): void {
    this.#judge(episode)
    this.#open.delete(episode.key)
    episode.isOpen = false
    const wasMuted = episode.suppressed !== null
    episode.suppressed = this.#muteOf(episode)
    // Nobody was told of it while it was open.
    episode.shouldNotify = wasMuted && this.#mayNotify(episode)
    this.counters.closed++
    if (this.#options.reopenUs > 0) {
      const { id, flows, firstUs, lastUs } = episode
      Object.assign(
        this.#closed.getOrCreate(episode.key, () => ({ id, flows, firstUs, lastUs })),
        { id, flows, firstUs, lastUs },
      )
    }
    this.#emit(episode, 'close')
  }

  #quietUs(episode: Episode): number {
    return Math.max(this.#options.quietUs, 2 * episode.detector.windowUs)
  }

  #idOf(key: string, firstUs: number): string {
    const first = eveTime(this.#options.baseSec, firstUs)
    const day = first.slice(0, 10).replaceAll('-', '')
    const text = `${key}|${first}`
    const hash = hash32(text).toString(16).padStart(8, '0') + hash32(`second half|${text}`).toString(16).padStart(8, '0')
    return `fs-${day}-${hash.slice(0, 10)}`
  }
}

function sideOf(finding: Finding, occasion: Occasion): Episode['actorSide'] {
  const { isActorInternal, direction } = finding.side ?? { isActorInternal: occasion.isClientInternal, direction: occasion.direction }
  if (isActorInternal) return 'inside'
  return direction === 'unknown' ? 'unknown' : 'outside'
}

/** A verdict replaces an older one unless it is weaker only because its window has moved on; a new benign explanation always counts. */
function isStronger(before: Verdict, now: Verdict): boolean {
  if (now.likelihood >= before.likelihood) return true
  const held = new Set(before.benign.filter((item) => item.lr < 0).map((item) => item.code))
  return now.benign.some((item) => item.lr < 0 && !held.has(item.code))
}

const BAND_ORDER = ['likely benign', 'unclear', 'suspicious', 'likely malicious', 'very likely malicious']

function bandRises(before: Verdict, now: Verdict): boolean {
  return BAND_ORDER.indexOf(now.band) > BAND_ORDER.indexOf(before.band)
}

function levelOf(verdict: Verdict): number {
  return LEVELS.indexOf(verdict.severity)
}

/** 10, 30, 100, 300 …: the first above `flows`. */
function nextStep(flows: number): number {
  let step = 10
  while (step <= flows) step *= String(step).startsWith('1') ? 3 : 10 / 3
  return Math.round(step)
}
