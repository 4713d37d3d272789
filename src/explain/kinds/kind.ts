/**
 * What a kind of alert brings to its report: its number in eve, and its own words.
 *
 * In:  `Facts`, whose names are Markdown already. Out: Markdown sentences and lines to be copied.
 * Not: numbers. A kind's words carry none of their own but the thresholds of its detection rule,
 *      which `verify-values.ts` knows too; all others are values of the alert.
 * The invariant: words state what the kind and its evidence support, and name these hosts and ports.
 */
import type { Facts } from '../facts.ts'

/** Texts of Suricata's classification.config. */
export type EveCategory =
  | 'Detection of a Network Scan'
  | 'Attempted Information Leak'
  | 'Attempted Denial of Service'
  | 'Detection of a Denial of Service Attack'
  | 'Unsuccessful User Privilege Gain'
  | 'Malware Command and Control Activity Detected'
  | 'Misc Attack'
  | 'Potentially Bad Traffic'

/** Lines to be copied into other tools. */
export interface DetectionRule {
  /** A whole rule, on one line; null where Suricata's rules cannot see it. */
  suricata: string | null
  /** For tcpdump and capture filters. */
  bpf: string
  /** A shell line over Zeek's conn.log, or for what has no connection one that starts Zeek. */
  zeek: string
}

export interface KindWords {
  /** eve's signature_id under gid 4242; never reused, never changed. */
  signatureId: number
  /** eve's rev: goes up when the kind's meaning changes. */
  revision: number
  category: EveCategory
  /** The first sentence of the summary: who did what to whom. */
  happened: (facts: Facts) => string
  /** What it means if it is what it looks like. */
  implications: (facts: Facts) => readonly string[]
  vectors: (facts: Facts) => readonly string[]
  /** What headers alone cannot decide here. */
  undecidable: readonly string[]
  /** The cheapest check that settles it. */
  decidingCheck: (facts: Facts) => string
  /** Scaled to `facts.urgency`, the most urgent first. */
  actions: (facts: Facts) => readonly string[]
  longerTerm: (facts: Facts) => readonly string[]
  rule: (facts: Facts) => DetectionRule
}
