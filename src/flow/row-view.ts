/**
 * A finished row, read by name and by direction: index 0 is the initiator, 1 the responder.
 *
 * In:  a batch and an index. Out: the row's numbers; what needs arithmetic is in features/.
 * Not: a copy. One view is moved from row to row.
 */
import { formatAddress } from '../base/address.ts'
import { TUNNEL_KINDS, type TunnelKindName } from '../decode/tunnel-kind.ts'
import type { FlowBatch } from './batch.ts'
import type { DirectionBasis, EndReason, TimelinePacket } from './flow.ts'
import * as Row from './row.ts'

/** What wrapped a connection. */
export interface Tunnel {
  kind: TunnelKindName
  /** GRE's key, ERSPAN's session, VXLAN's and GENEVE's network, GTP's TEID (the one that the first packet had); else 0. */
  id: number
  /** How many wrappers, one in the other. */
  depth: number
  /** The wrapper's addresses, [initiator's side, responder's side]. */
  outerAddr: readonly [string, string]
}

const BASES: readonly DirectionBasis[] = ['first_packet', 'synack', 'syn']

export class RowView {
  cells: Float64Array
  words: Uint32Array
  at = 0
  baseSec = 0
  /** First cell of what the initiator and the responder sent. */
  readonly direction = [0, 0]
  #origEndpoint = 0

  constructor(cells: Float64Array, words: Uint32Array) {
    this.cells = cells
    this.words = words
  }

  static of(batch: FlowBatch): RowView {
    return new RowView(batch.cells, batch.words)
  }

  /** The view on the batch's row at `index`. */
  moveTo(batch: FlowBatch, index: number): this {
    return this.moveToCell(batch.at(index), batch.baseSec)
  }

  moveToCell(at: number, baseSec: number): this {
    this.at = at
    this.baseSec = baseSec
    this.#origEndpoint = this.words[at * 2 + Row.STATE_W] & Row.ORIG_IS_B
    this.direction[0] = at + Row.DIRECTION_AT + this.#origEndpoint * Row.DIRECTION_CELLS
    this.direction[1] = at + Row.DIRECTION_AT + (1 - this.#origEndpoint) * Row.DIRECTION_CELLS
    return this
  }

  /** A cell of the row. */
  cell(offset: number): number {
    return this.cells[this.at + offset]
  }

  /** A word of the row. */
  word(offset: number): number {
    return this.words[this.at * 2 + offset]
  }

  /** A cell of one direction. */
  cellOf(direction: number, offset: number): number {
    return this.cells[this.direction[direction] + offset]
  }

  /** A word of one direction. */
  wordOf(direction: number, offset: number): number {
    return this.words[this.direction[direction] * 2 + offset]
  }

  /** Carries of one direction's squared gaps. */
  gapCarryOf(direction: number): number {
    return this.word(Row.D_IAT_SQ_CARRY_W + this.#endpointOf(direction))
  }

  get proto(): number {
    return this.word(Row.KEY_PROTO_W) & 0xff
  }

  addressWord(direction: number, index: number): number {
    const start = this.#endpointOf(direction) === 0 ? Row.KEY_A_W : Row.KEY_B_W
    return this.word(start + index) | 0
  }

  address(direction: number): string {
    return formatAddress(
      this.addressWord(direction, 0),
      this.addressWord(direction, 1),
      this.addressWord(direction, 2),
      this.addressWord(direction, 3),
    )
  }

  port(direction: number): number {
    const ports = this.word(Row.KEY_PORTS_W)
    return this.#endpointOf(direction) === 0 ? ports >>> 16 : ports & 0xffff
  }

  get startUs(): number {
    return this.cell(Row.ROW_START_US)
  }

  get lastUs(): number {
    return this.cell(Row.LAST_US)
  }

  get durationUs(): number {
    return this.lastUs - this.startUs
  }

  get endReason(): EndReason {
    return Row.END_REASONS[this.word(Row.END_REASON_W)]
  }

  get directionBasis(): DirectionBasis {
    return BASES[(this.word(Row.STATE_W) & Row.BASIS_MASK) >> Row.BASIS_SHIFT]
  }

  /** Outermost first. */
  get vlans(): number[] {
    const words = [this.word(Row.VLAN_01_W), this.word(Row.VLAN_23_W)]
    const all = [words[0] & 0xffff, words[0] >>> 16, words[1] & 0xffff, words[1] >>> 16]
    return all.slice(0, this.word(Row.VLAN_COUNT_W))
  }

  /** The innermost wrapper that the connection's first packet came in; null when it came in none. */
  get tunnel(): Tunnel | null {
    const packed = this.word(Row.TUNNEL_KIND_W)
    if (packed === 0) return null
    return {
      kind: TUNNEL_KINDS[packed & 0xff],
      id: this.word(Row.TUNNEL_ID_W),
      depth: packed >>> 8,
      outerAddr: [this.#outerAddress(0), this.#outerAddress(1)],
    }
  }

  #outerAddress(direction: number): string {
    const start = this.#endpointOf(direction) === 0 ? Row.OUTER_A_W : Row.OUTER_B_W
    return formatAddress(this.word(start) | 0, this.word(start + 1) | 0, this.word(start + 2) | 0, this.word(start + 3) | 0)
  }

  /** The row's first packets, at most TIMELINE_PACKETS_MAX. */
  timeline(): TimelinePacket[] {
    const count = Math.min(this.word(Row.PACKETS_W), Row.TIMELINE_PACKETS_MAX)
    return Array.from({ length: count }, (_, i) => {
      const cell = Row.TIMELINE_W + i * Row.TIMELINE_STRIDE_W
      const packed = this.word(cell + 1)
      return {
        direction: ((packed >>> 24) & 1) === this.#origEndpoint ? 0 : 1,
        gapUs: this.word(cell),
        payloadLen: packed & 0xffff,
        flags: (packed >>> 16) & 0xff,
      }
    })
  }

  #endpointOf(direction: number): number {
    return direction === 0 ? this.#origEndpoint : 1 - this.#origEndpoint
  }
}
