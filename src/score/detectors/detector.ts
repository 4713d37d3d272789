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
import type { Station } from '../../context/arp-station.ts'
import type { ArpObserved, ArpTable } from '../../context/arp-table.ts'
import type { Context } from '../../context/context.ts'
import type { Observed } from '../../context/windows.ts'
import type { Evidence, EvidenceGroup, Num, PictureData } from '../evidence.ts'
import type { Cap } from '../fusion.ts'
import type { Direction, Judged } from '../orientation.ts'
import type { HostWindow } from '../surprisal/host-windows.ts'
import type { Surprisal } from '../surprisal/surprisal.ts'
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
  surprisal: Surprisal
  /** The client's window of five minutes when this flow, or one before it, was unusual; null for open flows. */
  hostWindow: HostWindow | null
}

/** What a detector of the link layer looks at: there is no flow. */
export interface ArpLook {
  atUs: number
  /** Whose card it is. */
  station: Station
  /** What it just said; null: it handed on a packet that took its way over another card before. */
  message: ArpObserved | null
  arp: ArpTable
}

/** Everything about a detector but what it looks at. */
export interface DetectorRow<T extends OptionTable> {
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
  /** Episodes open from this likelihood on; absent: from what the configuration says. For kinds that inform and cannot be likely. */
  opensFrom?: number
  /** Made of the anomaly alone: its episodes hold nothing back from being learnt, and take no weight from the anomaly again. */
  isAnomalyOnly?: boolean
}

export interface Detector<T extends OptionTable> extends DetectorRow<T> {
  /** It may also judge rows so far of flows still open, and counters of a second. */
  readsOpenFlows?: boolean
  detect(look: Look, options: OptionValues<T>): Finding | null
}

export interface ArpDetector<T extends OptionTable> extends DetectorRow<T> {
  detectArp(look: ArpLook, options: OptionValues<T>): Finding | null
}

export type AnyDetector = DetectorRow<OptionTable>

/** The entry test is met; `assess` does the dear part when someone wants to know. */
export interface Finding {
  /** An address, or 'many'. */
  actor: string
  victim: string
  /** Where the actor sits and which way it acts; absent: it is the flow's client. */
  side?: { isActorInternal: boolean; direction: Direction }
  /** Part of the episode's key beside kind and actor; '' when there is none. */
  keyPart: string
  /** Flows in the window that belong to it, and the first one's time. */
  flowsInWindow: number
  /**
   * Flows of the window so far, open ones included, each once: an episode grows by what is new in it. Absent: by one a finding, and
   * by none for a flow still open.
   */
  flowsSoFar?: number
  /** What this one adds to an episode that is known already; absent: one. */
  adds?: 0
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

/** What benign explanations ask about; absent where the detector did not measure it. */
export interface BenignFacts {
  /** Failed targets and how many of them lie on services in an outage (B7). */
  outage?: { targets: number; failingClientsMax: number; inOutage: number }
  /** What the middle session moved one way, and the most that a failed login usually moves (B9). */
  loginBytes?: { median: number; usualMax: number }
  /** A client that asks a service again and again, and how often it is answered (B4). */
  polling?: { connections: number; answered: number; proto: number; port: number; isServerInternal: boolean; isReconnecting: boolean }
  /** Who else uses it: distinct inside hosts that go to the server's network or port, of all inside hosts seen (B2). */
  prevalence?: { users: number; hosts: number }
  /** The service asked (B1). */
  infrastructure?: { proto: number; port: number; isKnownServer: boolean; users: number }
  /** Connections completed of those begun, and how much the clients' requests differ (B8). */
  crowd?: { completed: number; begun: number; variation: number | null; clients: number }
  /** Packets each way a second and their mean payload (B10). */
  stream?: { proto: number; clientPps: number; serverPps: number; meanBytes: number }
  /** Payload each way (B12). */
  transfer?: { clientBytes: number; serverBytes: number; users: number }
  /** A card that looks for many addresses, and whose packets it hands on (B13). */
  router?: { foreignSources: number }
  /** Cards that held an address before another took it, how many of them have been silent since, and whether hosts were told one by one (B14). */
  handOver?: { holders: number; silent: number; isTold: boolean }
  /** Hosts that the actor itself answered on the port of names (B15). */
  relay?: { clients: number }
  /** Whether the replies can be the requests, sent back (B16). */
  echoes?: { requests: number; replies: number; areRepeated: boolean }
  /** Middle gap between starts and middle duration, and the chance that random starts are as regular (B17). */
  timer?: { chance: number; gapUs: number; durationUs: number; isFromOutside: boolean }
  /** Failed and answered peers on ports that differ from peer to peer (B6). */
  peers?: { proto: number; peers: number; answered: number; ports: number }
}

export interface Assessment {
  evidence: Draft[]
  servicePort: number | null
  facts: BenignFacts
  success: string | null
  scaleRatio: number
  answeredServers: number | null
  /** Why it is worth a look though its kind informs only; absent: it is not. */
  atLeastLow?: string
  notEvaluated: { code: string; why: string }[]
  pictures: PictureData[]
  /** Limits that hold because of what could not be measured. */
  caps: Cap[]
}

/** What most assessments leave empty, filled in. */
export function assessment(parts: Pick<Assessment, 'evidence' | 'servicePort' | 'scaleRatio'> & Partial<Assessment>): Assessment {
  return { facts: {}, success: null, answeredServers: null, notEvaluated: [], pictures: [], caps: [], ...parts }
}

/** Where a test wants the host's own history and there is none (SCORER.md section 5.1). */
export const NO_BASELINE: Cap = { limit: 0.6, why: 'without a baseline this can be a habit of the host' }

/** Beside NO_BASELINE, said by the test that had to do without. */
export const TOO_LITTLE_HISTORY = 'less than a day of this host is in the baseline'

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
