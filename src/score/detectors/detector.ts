/**
 * What a detector is: one file with its row, one line in table.ts.
 *
 * A row holds every fact of its detector (kind, techniques, thresholds with unit and source, prior, cap, weights with basis); its
 * `detect` looks at one judged flow with the windows around it and says whether the entry test is met now.
 *
 * In:  a judged flow, what the context just observed. Out: a finding, or null.
 * Not: state. What a detector needs to remember lies in context/, so that every memory has one owner and one limit.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import type { Context, Observed } from '../../context/context.ts'
import type { Evidence, EvidenceGroup, Num, PictureData } from '../evidence.ts'
import type { Cap } from '../fusion.ts'
import type { Judged } from '../orientation.ts'
import type { TechniqueId } from '../techniques.ts'

/** One likelihood ratio, with where it comes from. */
export interface Weight {
  lr: number
  group: EvidenceGroup
  basis: Evidence['basis']
  label: string
  /** Template of the claim. */
  claim: string
  alt?: string
  next: string
}

export interface Look {
  judged: Judged
  observed: Observed
  context: Context
}

export interface Detector<T extends OptionTable> {
  kind: string
  /** Prefix of evidence codes: 'D2'. */
  code: string
  title: string
  techniques: { fromInside: readonly TechniqueId[]; fromOutside: readonly TechniqueId[]; manyVictims: readonly TechniqueId[] }
  /** What it reads, over how long, and what must hold. */
  inputs: string
  windowUs: number
  entryTest: string
  options: T
  /** log10 odds that an episode which merely met the entry test is malicious. */
  priorLog10: number
  cap: Cap
  /** 0 info, 1 low, 2 medium. */
  severityBase: number
  /** Probes of this kind from outside are everywhere: unanswered ones are never more than info. */
  isBackgroundFromOutside: boolean
  weights: Readonly<Record<string, Weight>>
  detect(look: Look, options: OptionValues<T>): Finding | null
}

export type AnyDetector = Detector<OptionTable>

/** The entry test is met; `assess` does the dear part when someone wants to know. */
export interface Finding {
  actor: string
  victim: string
  /** Part of the episode's key beside kind and actor; '' when there is none. */
  keyPart: string
  /** Flows in the window that belong to it, and the first one's time. */
  flowsInWindow: number
  firstUs: number
  /** The victims known so far, at most 1,024. */
  victims(): readonly string[]
  /** How much this flow alone shows: 0 one of many, 1 one that stands out. */
  telling: number
  /** @param victimCount distinct victims of the episode so far. */
  assess(victimCount: number): Assessment
}

/** Evidence before it is numbered. */
export type Draft = Omit<Evidence, 'id'>

export interface Assessment {
  evidence: Draft[]
  servicePort: number | null
  /** Failed targets and how many of them lie on services in an outage (benign explanation B7). */
  outage: { targets: number; failingClientsMax: number; inOutage: number }
  /** What the middle session moved one way, and the most that a failed login usually moves; null for what is not about logins. */
  loginBytes: { median: number; usualMax: number } | null
  success: string | null
  scaleRatio: number
  answeredServers: number | null
  notEvaluated: { code: string; why: string }[]
  pictures: PictureData[]
}

/** A draft from a row's weight, the values of its claim, and the flows it was measured on. */
export function draft(
  code: string,
  weight: Weight,
  values: { measured: Num[]; names?: string[]; sample: Draft['sample']; lr?: number },
): Draft {
  const { alt } = weight
  return {
    code,
    label: weight.label,
    claim: weight.claim,
    measured: values.measured,
    names: values.names ?? [],
    sample: values.sample,
    lr: values.lr ?? weight.lr,
    group: weight.group,
    basis: weight.basis,
    supports: weight.group === 'benign' ? 'benign' : 'malicious',
    ...(alt === undefined ? {} : { alt }),
    next: weight.next,
  }
}
