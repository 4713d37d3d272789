/**
 * A slab: a block of bytes filled with packet records, which every source, live or file, hands on.
 *
 *   0        4        8        12       16
 *   +--------+--------+--------+--------+--------- …
 *   |  sec   |  nsec  | capLen |wireLen | capLen octets of the frame
 *   +--------+--------+--------+--------+--------- …      (all little-endian)
 *
 * Out: the record's layout, and the slab's own facts: link type and interface.
 *      Two kinds of record are no frames and say so by a wireLen that no frame can have (TICK, LOSS): what a live source knows
 *      beside packets travels with them, in order, so that a recording replays to the same flows and alerts.
 * Not: time order; a source hands on records as they lie in the file or come off the wire.
 * A slab belongs to its reader, which refills it: whoever needs bytes later copies them.
 */

export const REC_SEC = 0
export const REC_NSEC = 4
export const REC_CAP_LEN = 8
export const REC_WIRE_LEN = 12
export const REC_HEADER_LEN = 16

/** A wireLen from here on marks a record that is no frame. */
export const MARKER_MIN = 0xfffffff0
/** A tick: packet time has come to sec, nsec without a frame, and no later record is earlier. capLen is 0. */
export const TICK = 0xffffffff
/**
 * Losses of this interface since the run began, as the kernel counts them: three u64, little-endian, at the offsets below.
 * sec and nsec say when they were asked for. capLen is LOSS_LEN.
 */
export const LOSS = 0xfffffffe
/** Packets that passed the filter, lost ones included. */
export const LOSS_RECEIVED = 0
/** Lost because our buffer was full. */
export const LOSS_BY_KERNEL = 8
/** Lost by the interface or its driver. */
export const LOSS_BY_INTERFACE = 16
export const LOSS_LEN = 24

/** Small enough for a core's cache: in a trial 1 MiB slabs read full frames at 7.1 M packets/s, 256 KiB at 5, 4 MiB at 4.5. */
export const SLAB_LEN = 1 << 20

/** The largest record that is taken for real: libpcap's own limit (MAXIMUM_SNAPLEN). */
export const CAP_LEN_MAX = 262_144

export interface Slab {
  bytes: Uint8Array
  /** Records lie in bytes[start, end), back to back. */
  start: number
  end: number
  /** LINKTYPE_ number of every record in this slab (tcpdump.org/linktypes.html). */
  linkType: number
  /** Index of the capture interface inside its source, from 0. */
  interfaceId: number
}
