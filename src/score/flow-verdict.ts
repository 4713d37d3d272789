/**
 * A verdict on one flow that belongs to no open episode: what it looks like, and how likely it is malicious (SCORER.md section 5.1).
 *
 *   L = -3 + what the anomaly model says + what its pattern says;  P ≤ 25 %
 *   or, where a detector's entry test was met without its episode being believed, that candidate's own arithmetic
 *
 * In:  a judged flow, the verdict of the candidate that claims it, the anomaly model's draft where there is one.
 * Out: an alert event of kind `normal.<pattern>`, so that a report can be rendered from its line and verified like any other.
 * Not: an alert. It is written to its own log and notifies nobody.
 * The invariant: a rare or long or lopsided flow alone is never more than 25 % likely.
 */

import { CLIENT, SERVER } from '../context/contact.ts'
import { NO_ADDRESS, TCP } from '../flow/flow.ts'
import type { Draft } from './detectors/detector.ts'
import type { AlertEvent, Evidence } from './evidence.ts'
import { fuse, type Likelihood } from './fusion.ts'
import type { KeptFlows } from './kept-flow.ts'
import { isClientUnseen, type Pattern, patternOf } from './normal-patterns.ts'
import { num } from './number.ts'
import type { Judged } from './orientation.ts'
import type { Verdict } from './verdict.ts'

const US_PER_S = 1e6
const PRIOR_LOG10 = -3
const CAP = { limit: 0.25, why: 'how unusual one flow is can never make it more than this' }
/** Jumbo frames have 9,000 octets: no link carries more in one packet. */
const WIRE_PAYLOAD_MAX = 9216
const LONG_US = 60 * US_PER_S

export interface FlowQuestion {
  judged: Judged
  /** Of an entry test that this flow met without its episode being believed; the likeliest, null for none. */
  candidate: Verdict | null
  /** What the anomaly model says; null without one. */
  anomaly: Draft | null
  kept: KeptFlows
}

type Parts = Pick<
  AlertEvent,
  | 'kind'
  | 'title'
  | 'likelihood'
  | 'band'
  | 'cap'
  | 'severity'
  | 'severityWhy'
  | 'attack'
  | 'priorLog10'
  | 'arithmetic'
  | 'evidence'
  | 'benign'
  | 'notEvaluated'
  | 'wouldChange'
  | 'actor'
  | 'actorSide'
  | 'victims'
  | 'servicePort'
  | 'proto'
  | 'orientation'
  | 'pictures'
>

export function judgeFlow(question: FlowQuestion): Parts {
  const { judged, candidate, anomaly, kept } = question
  const sample = { n: 1, fromUs: judged.startUs, toUs: judged.lastUs, flowIds: [judged.flowId] }
  const pattern = patternOf(judged, sample)
  const facts = characteristics(judged, kept, sample)
  const evidence =
    candidate?.evidence ?? [...(anomaly === null ? [] : [anomaly]), ...facts].map((item, i) => ({ id: `E${i + 1}`, ...item }))
  const benign = candidate?.benign ?? (pattern.evidence === null ? [] : [{ id: 'B1', ...pattern.evidence }])
  const priorLog10 = candidate?.priorLog10 ?? PRIOR_LOG10
  const fused = candidate ?? fuse(priorLog10, [...evidence, ...benign], [CAP])
  return {
    kind: `normal.${pattern.name}`,
    title: pattern.title,
    likelihood: Math.round(fused.likelihood * 1e4) / 1e4,
    band: fused.band,
    cap: fused.cap,
    severity: 'info',
    severityWhy: ['no alert: nothing that this flow shows is more than ordinary traffic shows'],
    attack: [],
    priorLog10,
    arithmetic: fused.arithmetic,
    evidence,
    benign,
    notEvaluated: [...notEvaluated(judged, anomaly), ...(candidate?.notEvaluated ?? [])],
    wouldChange: candidate?.wouldChange ?? wouldChange(fused, evidence, pattern),
    ...who(judged),
    servicePort: judged.proto === TCP || judged.port[SERVER] > 0 ? judged.port[SERVER] : null,
    proto: judged.proto,
    orientation: judged.orientation,
    pictures: [],
  }
}

function who(judged: Judged): Pick<Parts, 'actor' | 'actorSide' | 'victims'> {
  const [client, server] = judged.addr
  if (client === NO_ADDRESS) return { actor: 'unknown', actorSide: 'unknown', victims: { addresses: [], count: 0 } }
  const actorSide = judged.isClientInternal ? 'inside' : judged.direction === 'unknown' ? 'unknown' : 'outside'
  return { actor: client, actorSide, victims: { addresses: [server], count: 1 } }
}

/** What a reader of the record may stumble over. Each weighs nothing: alone none of them tells malice from habit. */
function characteristics(judged: Judged, kept: KeptFlows, sample: Draft['sample']): Draft[] {
  return [...halfFact(judged, sample), ...volumeFact(judged, sample), ...paceFact(judged, sample), ...offloadFact(kept, sample)].concat(
    flagFact(judged, sample),
  )
}

type Fact = Pick<Draft, 'code' | 'label' | 'claim' | 'measured' | 'alt' | 'next' | 'group'>

function fact(parts: Fact, sample: Draft['sample']): Draft[] {
  return [{ ...parts, names: [], sample, lr: 0, basis: 'expert', supports: 'benign' }]
}

function halfFact(judged: Judged, sample: Draft['sample']): Draft[] {
  if (judged.halves === 'both' || judged.flow.record?.isOneWay !== true) return []
  const [seen, unseen] = isClientUnseen(judged) ? ['server', 'client'] : ['client', 'server']
  return fact(
    {
      code: 'F.half',
      label: 'one half seen',
      claim: `the record holds what the ${seen} sent, to or from port {m0}; what the ${unseen} sent was not in the records`,
      measured: [num(judged.port[SERVER], 'port')],
      alt: 'an exporter that writes each direction as a record of its own, or a router that sees one direction',
      next: 'Look for the record with the same addresses and ports the other way round.',
      group: 'pattern',
    },
    sample,
  )
}

function volumeFact(judged: Judged, sample: Draft['sample']): Draft[] {
  const [out, back] = judged.payloadBytes
  if (judged.flow.record?.isPayloadEstimated === true || (out === null && back === null)) return []
  const both = out !== null && back !== null
  const claim = both
    ? '{m0} of payload from the client and {m1} from the server'
    : out === null
      ? '{m0} of payload from the server; that of the client was not measured'
      : '{m0} of payload from the client; that of the server was not measured'
  const alt =
    out !== null && back !== null && out > back
      ? 'an upload that its user asked for: a mail, a backup, a form'
      : 'an answer that is longer than its question, as most are'
  return fact(
    {
      code: 'F.volume',
      label: both ? 'payload each way' : 'payload one way',
      claim,
      measured: [out, back].filter((bytes) => bytes !== null).map((bytes) => num(bytes, 'B')),
      alt,
      next: 'Compare with what other clients exchange with the same server.',
      group: 'volume',
    },
    sample,
  )
}

function paceFact(judged: Judged, sample: Draft['sample']): Draft[] {
  const lasted = judged.lastUs - judged.startUs
  const counts = judged.packets.filter(
    (count, side) => count !== null && !(judged.flow.record?.isOneWay === true && judged.packets[side] === 0),
  )
  const packets = counts.reduce<number>((total, count) => total + (count ?? 0), 0)
  if (counts.length === 0 || lasted < LONG_US / 2) return []
  return fact(
    {
      code: 'F.pace',
      label: 'pace of packets',
      claim: '{m0} packets in {m1}',
      measured: [num(packets, 'count'), num(lasted, 'us')],
      alt: 'a connection that is kept open between uses, or a transfer that takes its time',
      next: 'See whether the same client opens such connections to other servers too.',
      group: 'timing',
    },
    sample,
  )
}

/** No link carries such packets: the capturing host joined them before they were captured. It is no evidence for anything. */
function offloadFact(kept: KeptFlows, sample: Draft['sample']): Draft[] {
  const names = ['payload_max', 'fwd_payload_max', 'bwd_payload_max']
  const largest = Math.max(0, ...names.map((name) => kept.features[name] ?? 0))
  if (largest <= WIRE_PAYLOAD_MAX) return []
  return fact(
    {
      code: 'F.offload',
      label: 'merged by receive offload',
      claim: 'a “packet” of {m0}: longer than any link carries, so the capturing host merged several (receive offload)',
      measured: [num(largest, 'B')],
      alt: 'an artefact of the capture and not of the traffic; it is excluded from evidence',
      next: 'Run ethtool -K IF gro off lro off tso off on the capturing host, IF being its interface, and capture again.',
      group: 'volume',
    },
    sample,
  )
}

function flagFact(judged: Judged, sample: Draft['sample']): Draft[] {
  if (judged.flow.record?.hasUnusableFlags !== true) return []
  const packets = (judged.packets[CLIENT] ?? 0) + (judged.packets[SERVER] ?? 0)
  return fact(
    {
      code: 'F.flags',
      label: 'flag columns not usable',
      claim: 'the flag columns count fewer flags than there are packets ({m0}), which no TCP connection can: they were not used',
      measured: [num(packets, 'count')],
      alt: 'an old edition of CICFlowMeter, which counted the flags of the first packet alone',
      next: 'Meter the capture again with a tool that counts flags, such as flowscribe flows.',
      group: 'pattern',
    },
    sample,
  )
}

function notEvaluated(judged: Judged, anomaly: Draft | null): { code: string; why: string }[] {
  const { record } = judged.flow
  const gaps: [is: boolean, code: string, why: string][] = [
    [anomaly === null, 'anomaly', 'how unusual this flow is here: there is no baseline of this network to compare with'],
    [record?.hasAddresses === false, 'windows', 'what the two hosts did else, and with it every detector: the record names no hosts'],
    [record?.isOneWay === true && isClientUnseen(judged), 'upload', 'what the client sent: its half is not in the records'],
    [record?.isOneWay === true && judged.halves === 'orig', 'answer', 'whether the server answered: its half is not in the records'],
    [record?.hasUnusableFlags === true, 'flags', 'how the connection opened and closed: the flag columns cannot be right'],
    [judged.direction === 'unknown', 'direction', 'whether data left or came in: no address seen so far belongs to the own networks'],
  ]
  return gaps.filter(([is]) => is).map(([, code, why]) => ({ code, why }))
}

function wouldChange(fused: Likelihood, evidence: readonly Evidence[], pattern: Pattern): string[] {
  const without = fuse(PRIOR_LOG10, evidence, [CAP]).band
  const first =
    pattern.evidence === null
      ? `Without any pattern that fits, the verdict is “${fused.band}” all the same: nothing speaks for malice.`
      : `If “${pattern.evidence.label}” did not fit, the verdict would be “${without}”.`
  return [first, 'If more flows of the same hosts met the entry test of a detector, this one would take the likelihood of their episode.']
}
