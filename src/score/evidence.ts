/**
 * Evidence, verdicts and alert events: the records that every word of a report is rendered from.
 *
 * In:  nothing; detectors, benign explanations, fusion and episodes fill these in.
 * Out: plain JSON values (SCORER.md section 7, REPORT.md section 4): what is not in here cannot be said.
 * The invariant: every number that a report prints is the `text` of a `Num` somewhere in its alert event.
 */

import type { CaptureLedger, Unmeasured } from '../context/capture-history.ts'

export type Unit = 'B' | 'us' | 's' | 'count' | 'ratio' | 'pps' | 'Bps' | '1/N' | 'log10' | 'percent' | 'port'

/** A measured value and the one way it is written. */
export interface Num {
  v: number
  unit: Unit
  text: string
}

export type EvidenceGroup = 'pattern' | 'scale' | 'timing' | 'failure' | 'volume' | 'novelty' | 'target' | 'anomaly' | 'incident' | 'benign'

export interface Evidence {
  /** E1..En for, B1..Bn against. */
  id: string
  /** Detector or benign explanation and its test: 'D2.failed_ports', 'B7.outage'. */
  code: string
  /** Two or three words for the arithmetic line and the contributions picture: 'many closed ports'. */
  label: string
  /** A template with {m0}, {m1}… for `measured` and {x0}… for `names`: 'failed on {m0} distinct ports of one server within {m1}'. */
  claim: string
  measured: Num[]
  /** Words of the claim that come from the traffic: addresses, ports, service names. */
  names: string[]
  sample: { n: number; fromUs: number; toUs: number; flowIds: number[] }
  baseline?: { scope: 'this host' | 'this service' | 'this network' | 'none'; n: number; median: Num; p95: Num }
  /** log10 likelihood ratio, before clipping to [-1.5, 2]. */
  lr: number
  group: EvidenceGroup
  basis: 'test' | 'measured' | 'expert'
  supports: 'malicious' | 'benign'
  /** A harmless reading that this evidence cannot exclude. */
  alt?: string
  /** The check that would decide it. */
  next: string
}

export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical'
export type Band = 'likely benign' | 'unclear' | 'suspicious' | 'likely malicious' | 'very likely malicious'

export interface Technique {
  id: string
  name: string
  tactic: string
  tacticName: string
}

/** A step of the printable arithmetic: prior, then one factor a group of evidence. */
export interface LikelihoodStep {
  /** 'prior', an evidence group, or 'cap'. */
  name: string
  log10: number
  /** ×32, ÷16 … as written. */
  text: string
  evidenceIds: string[]
}

export interface Orientation {
  /** 'sender': no flow, but messages that name their sender. */
  how: 'syn' | 'synack' | 'table' | 'port' | 'guess' | 'sender'
  confidence: number
  halves: 'orig' | 'resp' | 'both'
}

/** What the sensor could not see from the episode's first packet on, and what that means (REPORT.md section 3 part 10). */
export interface Visibility extends Unmeasured<CaptureLedger> {
  /** Share of TCP client-server pairs seen in both directions over the last ten minutes; null while unknown. */
  bothHalves: number | null
  inputDamage: string | null
  /** An uncounted live source cannot say what it lost. */
  source: 'file' | 'live' | 'live, losses not counted' | 'flow records'
  /** Of flow records only: what was read, and what such records cannot say. */
  records?: RecordVisibility
}

export interface RecordVisibility {
  formats: string[]
  read: number
  /** Lines that were no record. */
  damaged: number
  /** Records that came too late to be put in order. */
  tooLate: number
  /** One packet in so many was metered; 1: all. */
  sampling: number
  /** Conversations of which only one direction has a record. */
  clientHalvesOnly: number
  serverHalvesOnly: number
  lacks: string[]
  notes: string[]
}

export interface KeptFlow {
  id: number
  /** null where a foreign record names no hosts. */
  communityId: string | null
  proto: number
  addr: [string | null, string | null]
  port: [number | null, number | null]
  start: string
  /** When the connection began, where this is a later row of it. */
  connectionStart?: string
  durationUs: number
  connState: string | null
  history: string | null
  packets: [number | null, number | null]
  payloadBytes: [number | null, number | null]
  ipBytes: [number | null, number | null]
  timeline: { direction: 0 | 1; gapUs: number; payloadLen: number; flags: number }[]
  /** Where the flow came as a record that something else metered. */
  record?: {
    format: string
    file: string
    line: number
    /** Its maker's name for it. */
    name: string | null
    /** Which of the pairs' sides the record calls its source. */
    side: 0 | 1
    /** Its payload is an estimate, and therefore not in here. */
    isPayloadEstimated: boolean
    hasUnusableFlags: boolean
  }
}

/** What else could have been measured so that there were no alert: found by scoring again. */
export interface Change {
  /** What is measured, in words: 'ports that failed'. */
  what: string
  from: Num
  to: Num
  /** Half of the way, at which the alert is still there. */
  half: Num
  /** With `to`; null: the entry test would not be met. */
  likelihood: number | null
  likelihoodAtHalf: number
}

/** What somebody could find out, and what the likelihood would be then. */
export interface Observation {
  /** Goes on from 'If '. */
  text: string
  likelihood: number
}

/** What a picture of this kind needs and evidence does not hold; closed union by `picture`. */
export type PictureData =
  | {
      picture: 'grid'
      targets: string[]
      ports: number[]
      /** `target` and `port` are indexes into the two lists. */
      cells: { target: number; port: number; outcome: 'failed' | 'answered' }[]
      omitted: number
    }
  /** Gaps between calls, in order; `tolerance` is a share of the middle one. */
  | { picture: 'gaps'; gapsUs: number[]; medianUs: number; tolerance: number; close: number }
  /** The last minute, second by second, the oldest first. */
  | { picture: 'rate'; what: string; perSecond: number[]; threshold: number }
  /** What went up and down within the hour, by five minutes; `usual` is what the host sends in an hour on other days. */
  | {
      picture: 'uploads'
      sentBytes: number
      receivedBytes: number
      floorBytes: number
      slots: { sentBytes: number; receivedBytes: number }[]
      usual: { hours: number; medianBytes: number; p95Bytes: number } | null
    }
  /** Slow connections open at a time; steps, in order. */
  | { picture: 'concurrent'; points: { atUs: number; open: number }[]; threshold: number }
  /** Messages by which cards claim addresses; `mac` and `address` are indexes into the two lists. */
  | {
      picture: 'claims'
      macs: string[]
      addresses: string[]
      marks: { atUs: number; mac: number; address: number; how: 'question' | 'answer' | 'announcement' | 'unasked' }[]
      omitted: number
    }
  | { picture: 'sessions'; sessions: { atUs: number; bytes: number; durationUs: number; odd: boolean }[]; omitted: number }

export interface BaselineProgress {
  /** Packet time watched so far. */
  watched: Num
  /** Until it is ready; null when it is. */
  remaining: Num | null
  /** Flows learnt from: one a host, minute and service. */
  votes: Num
  /** Inside hosts with a history. */
  hosts: Num
}

/** What is known of an alert's packets when it is told; outside the run's digest, since a memory forgets by the clock of its machine. */
export interface SliceNote {
  /** Cut from the capture files that were read, or from what the sensor remembers of a line. */
  source: 'files' | 'memory'
  /** How far back the memory reached; null for all since the run began, and for files. */
  heldFrom: string | null
  packetsMax: number
  bytesMax: number
  /** Octets kept of a frame; null for all that were captured. */
  snapBytes: number | null
}

export interface Incident {
  id: string
  members: IncidentMember[]
}

export interface IncidentMember {
  /** Id of the episode. */
  id: string
  kind: string
  title: string
  actor: string
  victim: string
  first: string
}

/** The site's own rule that keeps an alert from notifying (mutes.ts). The verdict beside it is what it would be without the rule. */
export interface Suppression {
  rule: string
  owner: string
  /** As it stands in the rule: a day, which counts whole, or a second; UTC. */
  until: string
  reason: string
}

export type AlertEventName = 'open' | 'update' | 'close'

/** What `alert.context.flowscribe` holds: enough to render the report from the alert line alone. */
export interface AlertEvent {
  /** Stable over the episode: open, update and close share it. */
  id: string
  event: AlertEventName
  kind: string
  title: string
  likelihood: number
  band: Band
  calibration: 'prior' | 'site'
  cap: { limit: number; why: string } | null
  severity: Severity
  severityWhy: string[]
  attack: Technique[]
  priorLog10: number
  arithmetic: LikelihoodStep[]
  evidence: Evidence[]
  benign: Evidence[]
  notEvaluated: { code: string; why: string }[]
  /** The same in words, without numbers. */
  wouldChange: string[]
  /** Smallest changes of what was measured, and the two observations that would move the likelihood most. */
  counterfactual?: { threshold: number; changes: Change[]; observations: Observation[] }
  /** False: in the list only. Each actor and kind notifies once a day, and all together up to the day's budget. */
  shouldNotify: boolean
  /** Absent unless a rule mutes the alert. */
  suppressed?: Suppression
  /** Alerts of this day that were held back from notification so far. */
  heldBackCount: number
  /** An address, 'many', or 'unknown' where a foreign record names no hosts; a MAC address where ARP shows no other. */
  actor: string
  /** Whether the actor is one of the site's own hosts; absent or 'unknown' when no home network told. */
  actorSide?: 'inside' | 'outside' | 'unknown'
  victims: { addresses: string[]; count: number }
  /** The service port the episode is about; null when it is about many. */
  servicePort: number | null
  /** IANA protocol number; ARP's ether type where there is no IP. */
  proto: number
  /** `flows`: ARP messages where there are no flows. */
  episode: { flows: number; firstUs: number; lastUs: number; first: string; last: string }
  orientation: Orientation
  baselineState: 'learning' | 'partial' | 'ready' | 'drifting' | 'none'
  /** How far it has come; absent without a baseline. */
  baseline?: BaselineProgress
  visibility: Visibility
  /** Telling flows, the most telling first; at most 8. */
  flows: KeptFlow[]
  /** Full feature vector of flows[0]; null where not measured. */
  features: Record<string, number | null>
  /** The five minutes around flows[0] in NetFlow names: dst_flows_in_window, src_flows_in_window, … */
  windowFeatures: Record<string, number | null>
  pictures: PictureData[]
  /** The chain of episodes that this one belongs to, in order of time; absent when it stands alone. */
  incident?: Incident
  /** Absent where no packets are kept beside the report. */
  slice?: SliceNote
  featureSet: string
  sensor: { name: string; version: string; configDigest: string }
}
