/**
 * The layout of a flow's row: 8-byte cells in one ArrayBuffer, hot cells first.
 *
 * A flow touches about forty running values a packet. Kept together, a packet of a flow that is not in the core's cache waits
 * for four cache lines; kept one array a value, it would wait for forty.
 *
 *   line 0      the key, and when the flow last spoke
 *   line 1      what belongs to both directions
 *   lines 2–4   endpoint A's packets: sizes and times; octets, flags and sequence numbers; what few packets touch
 *   lines 5–7   endpoint B's, the same
 *   line 8      active and idle periods, subflows (touched after a long gap only)
 *   lines 9–10  the first packets, for the timeline (touched by the first sixteen packets only)
 *   line 11     the connection: what outlives a cut by the active timeout
 *   line 12     the tunnel that the connection came through (touched at its start only)
 *
 * Out: offsets. Names that end in nothing are cells (Float64Array), those in `_W` are 32-bit words (Uint32Array, two a cell).
 * The invariant: values are kept by endpoint, A being the smaller (address, port); which endpoint is the initiator is one bit of
 * the state word, so a corrected direction moves no values and no code has twin branches.
 */

export const CELLS_PER_LINE = 8
export const ROW_CELLS = 13 * CELLS_PER_LINE
export const ROW_WORDS = 2 * ROW_CELLS
export const ROW_BYTES = 8 * ROW_CELLS

// Line 0: the key. Eight address words, ports, protocol, echo id, tunnel and VLAN.
export const KEY_A_W = 0
export const KEY_B_W = 4
export const KEY_PORTS_W = 8
/** Protocol in bits 0–7, the echo identifier in bits 8–23, then KEY_IS_LONG and KEY_IS_LIVE. */
export const KEY_PROTO_W = 9
/** More than IPv4 addresses, ports and protocol is to be compared: IPv6, a tunnel or a VLAN. */
export const KEY_IS_LONG = 1 << 24
/** The connection is in the index: cleared when it ends, while its row may wait to be handed on. */
export const KEY_IS_LIVE = 1 << 25
export const KEY_TUNNEL_W = 10
export const KEY_VLAN_W = 11
export const KEY_WORDS_COUNT = 12
export const LAST_US = 6
export const ROW_START_US = 7

/** What a minimum is before the first value. */
export const NO_MINIMUM = 0xffffffff

// Line 1: both directions.
/** Sum of the squared gaps, less 2^52 for each unit of FLOW_IAT_SQ_CARRY_W: exact, where a double alone would round. */
export const FLOW_IAT_SQ = 8
export const FLOW_IAT_MIN_W = 18
export const FLOW_IAT_MAX_W = 19
export const ACTIVE_START_US = 10
export const STATE_W = 22
/** Packets in this row, both directions. */
export const PACKETS_W = 23
/** By endpoint: highest sequence number sent so far, plus one; valid when SEQ_KNOWN is set for that endpoint. */
export const NEXT_SEQ_W = 24
/** By endpoint: highest acknowledgement sent so far; valid when ACKS_COUNTED is set. Both stand in this line since each ACK compares them. */
export const ACKED_W = 26
/** First cell of the two; a cut copies them. */
export const SEQUENCE_AT = 12
export const SEQUENCE_CELLS = 2
/**
 * By endpoint: time of its last packet with payload, -Infinity before the first. Both stand in this line since each ends the other's bulk.
 * Of an open row only: a finished one has no bulk at hand, and its end stands in their place.
 */
export const DATA_LAST_US = 14
/** When the row ended, and why (an index into END_REASONS); set when it ends. */
export const END_US = 14
export const END_REASON_W = 30

// Lines 2–4 and 5–7: one endpoint's direction.
export const DIRECTION_CELLS = 24
export const DIRECTION_AT = 16

// …sizes and times
export const D_PACKETS_W = 0
export const D_DATA_PACKETS_W = 1
export const D_PAYLOAD_SUM = 1
export const D_PAYLOAD_SUM_SQ = 2
export const D_PAYLOAD_MIN_W = 6
export const D_PAYLOAD_MAX_W = 7
export const D_LAST_US = 4
export const D_FIRST_US = 5
export const D_IAT_SQ = 6
export const D_IAT_MIN_W = 14
export const D_IAT_MAX_W = 15

// …octets, common flags, the bulk at hand
/** Octets of transport headers; a row cut after minutes cannot reach 2^32. */
export const D_HEADER_SUM_W = 16
export const D_HEADER_MIN_W = 17
export const D_IP_SUM = 9
export const D_PSH_W = 20
export const D_ACK_W = 21
/** Raw windows of the connection: its first packet's in the lower half, the first that is not 0 in the upper. */
export const D_INIT_WINDOW_W = 23
export const D_BULK_START_US = 12
export const D_BULK_SIZE = 14
export const D_BULK_RUN_W = 30
export const D_RETRANSMITTED_W = 31

// …what few packets touch: other flags, finished bulks
export const D_FIN_W = 32
export const D_SYN_W = 33
export const D_RST_W = 34
export const D_URG_W = 35
export const D_ECE_W = 36
export const D_CWR_W = 37
export const D_SYN_ACK_W = 38
export const D_ZERO_WINDOWS_W = 39
export const D_BULK_BYTES = 20
export const D_BULK_DURATION_US = 21
export const D_BULK_PACKETS_W = 44
export const D_BULKS_W = 45
/** A stretch of sequence numbers that was passed over and not seen since; valid when HOLE_OPEN is set for that endpoint. */
export const D_HOLE_AT_W = 46
export const D_HOLE_LEN_W = 47

// Line 8: active and idle periods.
export const ACTIVE_COUNT_W = 128
export const IDLE_COUNT_W = 129
export const ACTIVE_SUM_US = 65
export const ACTIVE_M2 = 66
export const ACTIVE_MIN_W = 134
export const ACTIVE_MAX_W = 135
export const IDLE_SUM_US = 68
export const IDLE_M2 = 69
export const IDLE_MIN_W = 140
export const IDLE_MAX_W = 141
/** Gaps longer than the subflow gap. */
export const SUBFLOW_GAPS_W = 142
export const ICMP_ERRORS_W = 143

// Lines 9 and 10: the first packets.
export const TIMELINE_W = 144
export const TIMELINE_PACKETS_MAX = 16
/** Two words a packet: the gap before it in µs; payload length in bits 0–15, flags in 16–23, the endpoint in bit 24. */
export const TIMELINE_STRIDE_W = 2

// Line 11: the connection.
/** Zeek's history so far, one letter an octet, and how many. */
export const HISTORY_W = 176
export const HISTORY_LETTERS_MAX = 20
export const HISTORY_LEN_W = 181
export const VLAN_01_W = 182
export const VLAN_23_W = 183
export const VLAN_COUNT_W = 184
/** Packets of the connection before this row. */
export const EARLIER_PACKETS_W = 185
export const CONNECTION_START_US = 93
/** Carries of the squared gaps: the flow's, endpoint A's, endpoint B's. They belong to the row, not to the connection. */
export const FLOW_IAT_SQ_CARRY_W = 188
export const D_IAT_SQ_CARRY_W = 189
/** Flags octet of the row's first packet in bits 0–7, ICMP type and code in bits 8–23. Of the row, too. */
export const FIRST_PACKET_W = 191

// Line 12: the tunnel. Outer addresses of the innermost wrapper, on A's side and on B's.
export const OUTER_A_W = 192
export const OUTER_B_W = 196
export const TUNNEL_ID_W = 200
/** An index into TUNNEL_KINDS in bits 0–7, how many wrappers in bits 8–15; 0 for a connection that was not wrapped. */
export const TUNNEL_KIND_W = 201
/** Super-packets of the connection so far (oversize.ts): its packets are fewer, larger and further apart than on the wire. */
export const MERGED_PACKETS_W = 202
/** First cell of what a cut copies whole: lines 11 and 12. */
export const CONNECTION_AT = 88

// The state word.
export const ORIG_IS_B = 1 << 0
export const BASIS_SHIFT = 1
export const BASIS_MASK = 3 << BASIS_SHIFT
export const TCP_STATE_SHIFT = 3
export const TCP_STATE_MASK = 3 << TCP_STATE_SHIFT
export const IS_CONTINUATION = 1 << 5
export const CLOSED_BY_RST = 1 << 6
/** The whole handshake was seen: an acknowledgement of what was not seen means loss (ack-gaps.ts). */
export const ACKS_COUNTED = 1 << 7
/** Bits per endpoint: `bit << endpoint`. */
export const SEEN = 1 << 8
export const SYN_SEEN = 1 << 10
export const SYN_ACK_SEEN = 1 << 12
export const FIN_SEEN = 1 << 14
export const RST_SEEN = 1 << 16
export const DATA_SEEN = 1 << 18
export const ACK_SEEN = 1 << 20
export const SEQ_KNOWN = 1 << 22
/** The first RST came from that endpoint, before a FIN of its own. */
export const RST_FIRST = 1 << 24
/** An acknowledgement of what was not seen was counted, of either endpoint: late data may take it back. */
export const GAP_COUNTED = 1 << 26
export const WINDOW_KNOWN = 1 << 27
export const HOLE_OPEN = 1 << 29

export const TCP_NEW = 0
export const TCP_ESTABLISHED = 1
export const TCP_CLOSED = 2

export const BASIS_FIRST_PACKET = 0
export const BASIS_SYN_ACK = 1
export const BASIS_SYN = 2

export const END_REASONS = ['idle', 'active', 'fin', 'rst', 'port_reuse', 'evicted', 'shutdown'] as const
export const ENDED_IDLE = 0
export const ENDED_ACTIVE = 1
export const ENDED_FIN = 2
export const ENDED_RST = 3
export const ENDED_PORT_REUSE = 4
export const ENDED_EVICTED = 5
export const ENDED_SHUTDOWN = 6
