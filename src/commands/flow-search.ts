/**
 * Which of a run's flows a person means, and what the detectors measured on it.
 *
 * In:  a question (`FlowQuestion`), each flow as it is judged. Out: the one flow that it fits, explained; or those that it fits; or, when it
 *      fits none, flows between the same two hosts.
 * Not: a choice among several: who asks makes it, by the id.
 */
import { formatAddress, parseAddress } from '../base/address.ts'
import type { Config } from '../config.ts'
import type { ExplainedFlow } from '../explain/flow-report.ts'
import { bytesText, countOf, durationText, exactTimeText } from '../explain/words.ts'
import { communityIdOf } from '../features/community-id.ts'
import { type Flow, ICMP, ICMPV6, protoName } from '../flow/flow.ts'
import type { Look } from '../score/detectors/detector.ts'
import type { AlertEvent, KeptFlow, Visibility } from '../score/evidence.ts'
import { KeptFlows } from '../score/kept-flow.ts'
import { explainFlow } from '../score/what-if/explain-flow.ts'
import { flowReaderOf } from '../sensor.ts'

export type FlowQuestion =
  | { id: number }
  | { communityId: string }
  /** What its maker calls it: Zeek's uid. */
  | { name: string }
  /** Of the file of records. */
  | { line: number }
  | { proto: number; addr: [string, string]; port: [number, number] }

/** Candidates that are kept; the others are counted. */
const CANDIDATES_MAX = 20
const NEARLY_MAX = 5

interface Candidate {
  explained: ExplainedFlow
  rows: number
}

export class FlowSearch {
  /** Rows that were judged. */
  flows = 0
  readonly #question: FlowQuestion
  readonly #config: Config
  /** By id and key: rows that the active timeout cut share both. */
  readonly #found = new Map<string, Candidate>()
  #notKept = 0
  readonly #nearly = new Map<number, string>()

  constructor(question: FlowQuestion, config: Config) {
    this.#question = 'addr' in question ? { ...question, addr: [plain(question.addr[0]), plain(question.addr[1])] } : question
    this.#config = config
  }

  see(look: Look, baseSec: number, visibility: () => Visibility): void {
    this.flows++
    const { flow } = look.judged
    if (!this.#isAsked(flow)) return this.#noteNearly(look, baseSec)
    const key = keyOf(flow)
    const before = this.#found.get(key)
    if (before === undefined && this.#found.size >= CANDIDATES_MAX) {
      this.#notKept++
      return
    }
    const now = explained(look, this.#config, baseSec, visibility)
    const rows = (before?.rows ?? 0) + 1
    // A row that met an entry test tells more than the rows after it.
    const isLess = before !== undefined && hasMet(before.explained) && !hasMet(now)
    this.#found.set(key, { explained: { ...(isLess ? before.explained : now), rows }, rows })
  }

  /** A record that names no hosts, as its own report has it. */
  seePlain({ flows: [flow], kind, title, orientation, features, windowFeatures, featureSet, visibility }: AlertEvent): void {
    if (flow?.record === undefined || flow.addr[0] !== null) return
    this.flows++
    const question = this.#question
    const isAsked = 'id' in question ? flow.id === question.id : 'line' in question && flow.record.line === question.line
    if (!isAsked) return
    const pattern = { name: kind.replace(/^normal\./, ''), title } as ExplainedFlow['explanation']['pattern']
    const explanation = { pattern, looked: [], notConcerned: [] }
    const threshold = this.#config.alerts.likelihood_min
    const one = { flow, orientation, features, windowFeatures, featureSet, explanation, episodes: [], threshold, visibility, rows: 1 }
    this.#found.set(`${flow.id} ${flow.record.line}`, { explained: one, rows: 1 })
  }

  found(): ExplainedFlow | null {
    const [first, ...others] = this.#found.values()
    return first === undefined || others.length > 0 ? null : first.explained
  }

  candidates(): { lines: readonly string[]; count: number } {
    if (this.#found.size < 2) return { lines: [], count: this.#found.size }
    const lines = [...this.#found.values()].map(({ explained: { flow } }) => flowLine(flow))
    return { lines, count: this.#found.size + this.#notKept }
  }

  nearly(): readonly string[] {
    return this.#found.size > 0 ? [] : [...this.#nearly.values()]
  }

  #isAsked(flow: Flow): boolean {
    const question = this.#question
    if ('id' in question) return flow.id === question.id
    if ('communityId' in question) return communityIdOf(flow) === question.communityId
    if ('name' in question) return flow.record?.name === question.name
    if ('line' in question) return flow.record?.line === question.line
    if (flow.proto !== question.proto) return false
    const isSame = (side: 0 | 1): boolean => flow.addr[side] === question.addr[0] && flow.port[side] === question.port[0]
    const isOther = (side: 0 | 1): boolean => flow.addr[side] === question.addr[1] && flow.port[side] === question.port[1]
    return (isSame(0) && isOther(1)) || (isSame(1) && isOther(0))
  }

  #noteNearly({ judged, context }: Look, baseSec: number): void {
    const question = this.#question
    if (!('addr' in question) || this.#nearly.size >= NEARLY_MAX) return
    const { flow } = judged
    if (!question.addr.every((address) => flow.addr.includes(address))) return
    const kept = new KeptFlows()
    kept.offer(judged, 1, context, flowReaderOf(baseSec), baseSec)
    this.#nearly.set(flow.id, flowLine(kept.list[0]))
  }
}

/** As the meter writes it. */
function plain(address: string): string {
  const words = parseAddress(address)
  return words === null ? address : formatAddress(...words)
}

function keyOf({ id, proto, addr, port }: Flow): string {
  return `${id} ${proto} ${[0, 1]
    .map((side) => `${addr[side]} ${port[side]}`)
    .sort()
    .join(' ')}`
}

function hasMet({ explanation }: ExplainedFlow): boolean {
  return explanation.looked.some((test) => test.isMet)
}

/** Now: the row and the windows move on with the next flow. */
function explained(look: Look, config: Config, baseSec: number, visibility: () => Visibility): ExplainedFlow {
  const { judged, context } = look
  const reader = flowReaderOf(baseSec)
  const kept = new KeptFlows()
  kept.offer(judged, 1, context, reader, baseSec)
  return {
    flow: kept.list[0],
    orientation: judged.orientation,
    features: kept.features,
    windowFeatures: kept.windowFeatures,
    featureSet: reader.featureSet,
    explanation: explainFlow(look, config),
    episodes: [],
    threshold: config.alerts.likelihood_min,
    visibility: { ...visibility(), ...context.captured.since(judged.startUs), bothHalves: context.visibility.share() },
    rows: 1,
  }
}

/** `4718203991125  2026-03-17 09:20:12.402118 UTC, 913 µs  TCP 10.0.0.7 port 51514 → 10.0.0.9 port 22, 3 packets, 0 B of payload` */
function flowLine({ id, start, durationUs, proto, addr, port, packets, payloadBytes, record }: KeptFlow): string {
  const hasPorts = proto !== ICMP && proto !== ICMPV6
  const end = (side: 0 | 1): string => `${addr[side] ?? 'a host not named'}${hasPorts && port[side] !== null ? ` port ${port[side]}` : ''}`
  const sizes = [
    ...(packets[0] === null && packets[1] === null ? [] : [countOf((packets[0] ?? 0) + (packets[1] ?? 0), 'packet')]),
    ...(payloadBytes[0] === null && payloadBytes[1] === null
      ? []
      : [`${bytesText((payloadBytes[0] ?? 0) + (payloadBytes[1] ?? 0))} of payload`]),
    ...(record === undefined ? [] : [`${record.file} line ${record.line}`]),
  ]
  return `${id}  ${exactTimeText(start)} UTC, ${durationText(durationUs)}  ${protoName(proto)} ${end(0)} → ${end(1)}, ${sizes.join(', ')}`
}
