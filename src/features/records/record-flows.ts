/**
 * Flow records of other tools as the flows that our own meter would hand on, as far as they go.
 *
 *   raw record → parts (by format) → Flow → order of ends → halves paired, pieces joined → order of ends → out
 *
 * In:  raw records of one run, of any files. Out: flows with times relative to `baseSec`, in the order of their ends; a ledger; faults.
 * Not: reading of files (capture/record-file.ts), and no judgement.
 * The invariant: every record is a flow, or half of one, or a fault.
 */
import type { RawRecord, RecordFaults } from '../../capture/record-file.ts'
import type { Flow, Measured, Pair } from '../../flow/flow.ts'
import { ORIG, TCP } from '../../flow/flow.ts'
import { Cells } from './cells.ts'
import { cicParts } from './cic-record.ts'
import { EndOrder } from './end-order.ts'
import { foreignFlow, payloadFromIp, rebase } from './foreign-flow.ts'
import { netflowParts } from './netflow-record.ts'
import { PAIR_WAIT_US, Pairing, type PairingCounters } from './pairing.ts'
import { RecordLedger } from './record-ledger.ts'
import type { RecordParts } from './record-parts.ts'
import { statedFeatures, statedWindow } from './stated-features.ts'
import { zeekParts } from './zeek-record.ts'

const US_PER_S = 1e6
const DAY_S = 86_400
const NOTHING_STATED = { features: () => ({}), windowFeatures: () => ({}) }

export interface RecordFlowsOptions {
  /** Flows held back at most, in each of the three places. */
  heldMax: number
  /** One packet in so many was metered, where records do not say. */
  sampling: number
  /** Whether a log's own word on who is inside counts. */
  isInsideTaken: boolean
  faults: RecordFaults
}

export class RecordFlows {
  readonly ledger = new RecordLedger()
  readonly #options: RecordFlowsOptions
  readonly #cells = new Cells()
  readonly #incoming: EndOrder
  readonly #pairing: Pairing
  readonly #outgoing: EndOrder
  #baseSec: number | null = null

  constructor(options: RecordFlowsOptions) {
    this.#options = options
    this.#incoming = new EndOrder(options.heldMax)
    this.#pairing = new Pairing(options.heldMax)
    this.#outgoing = new EndOrder(options.heldMax)
    this.ledger.sampling = options.sampling
  }

  /** What the flows' times count from: midnight before the first one. 0 before there is one. */
  get baseSec(): number {
    return this.#baseSec ?? 0
  }

  get order(): { reordered: number; tooLate: number } {
    const { reordered } = this.#incoming
    return { reordered, tooLate: this.#incoming.tooLate + this.#outgoing.tooLate }
  }

  get pairing(): Readonly<PairingCounters> {
    return this.#pairing.counters
  }

  /**
   * The flows that can go on by now.
   * @param path for faults. @param file its name alone, for reports.
   */
  take(raw: RawRecord, path: string, file: string): Flow[] {
    const flow = this.#flowOf(raw, path, file)
    const first = flow === null ? null : this.#incoming.push(flow)
    return first === null ? [] : this.#whole(first)
  }

  /** All that are still held. */
  finish(): Flow[] {
    const flows: Flow[] = []
    for (let first = this.#incoming.pop(); first !== null; first = this.#incoming.pop()) flows.push(...this.#whole(first))
    for (const flow of this.#pairing.finish()) this.#settle(flow, flows)
    return [...flows, ...this.#outgoing.popUntil(Number.POSITIVE_INFINITY).map((flow) => this.#rebased(flow))]
  }

  #whole(flow: Flow): Flow[] {
    const due: Flow[] = []
    for (const whole of this.#pairing.take(flow)) this.#settle(whole, due)
    const early = this.#outgoing.popUntil(flow.endUs - PAIR_WAIT_US).map((one) => this.#rebased(one))
    return [...due, ...early]
  }

  #settle(flow: Flow, due: Flow[]): void {
    const left = this.#outgoing.push(flow)
    if (left !== null) due.push(this.#rebased(left))
  }

  #rebased(flow: Flow): Flow {
    this.#baseSec ??= Math.floor(flow.startUs / US_PER_S / DAY_S) * DAY_S
    return rebase(flow, this.#baseSec)
  }

  #flowOf(raw: RawRecord, path: string, file: string): Flow | null {
    const cells = this.#cells.moveTo(raw)
    const parts = partsOf(cells, raw.header.format)
    if (parts === null || cells.fault !== null) {
      const { column, why } = cells.fault ?? { column: '', why: 'not a flow record' }
      this.#options.faults.add({ path, line: raw.line, column, why })
      return null
    }
    const flow = this.#build(parts, raw, file)
    this.ledger.note(flow, parts, raw.header.format)
    return flow
  }

  #build(parts: RecordParts, raw: RawRecord, file: string): Flow {
    const { proto, addr, port, hasAddresses, hasPort, start, durationUs, directionBasis, flags, connState, history, firstFlags, idleUs } =
      parts
    const factor = parts.sampling ?? this.#options.sampling
    const packets = scaled(parts.packets, factor)
    const ipBytes = scaled(parts.ipBytes, factor)
    const given = scaled(parts.payloadBytes, factor)
    const payloadBytes: Pair<Measured> = [
      given[0] ?? payloadFromIp(proto, addr[0], packets[0], ipBytes[0]),
      given[1] ?? payloadFromIp(proto, addr[1], packets[1], ipBytes[1]),
    ]
    const lasted = durationUs ?? 0
    return foreignFlow({
      proto,
      addr,
      port,
      startUs: start.us,
      lastUs: start.us + lasted,
      packets,
      payloadBytes,
      ipBytes,
      directionBasis,
      flags,
      connState,
      history,
      firstFlags,
      idleUs,
      vlans: [],
      id: parts.id,
      record: {
        format: raw.header.format,
        file,
        line: raw.line,
        name: parts.name ?? null,
        hasAddresses,
        hasPort,
        side: ORIG,
        isOneWay: parts.isHalf === true,
        isPayloadEstimated: proto === TCP && given.some((bytes, i) => bytes === null && payloadBytes[i] !== null),
        hasUnusableFlags: parts.hasUnusableFlags === true,
        isInside: (this.#options.isInsideTaken ? parts.isInside : undefined) ?? [null, null],
        // Held only where there is something to read later: Zeek's columns are all in the flow.
        ...(raw.header.format === 'zeek'
          ? NOTHING_STATED
          : { features: () => statedFeatures(raw), windowFeatures: () => statedWindow(raw) }),
      },
    })
  }
}

function partsOf(cells: Cells, format: RawRecord['header']['format']): RecordParts | null {
  if (format === 'zeek') return zeekParts(cells)
  return format === 'cic' || format === 'flowscribe' ? cicParts(cells) : netflowParts(cells, format)
}

function scaled(pair: Pair<Measured>, factor: number): Pair<Measured> {
  const of = (value: Measured): Measured => (value === null ? null : value * factor)
  return factor === 1 ? pair : [of(pair[0]), of(pair[1])]
}
