/**
 * Where the default profile differs from the corrected CICFlowMeter on purpose (FEATURES.md, part A).
 *
 * Out: one row a difference. `touches` says what it excuses: cells (of the features that name it), or rows, because it changes
 *      which packets form a row.
 * The rule behind it: a column with a CICFlowMeter name keeps CICFlowMeter's definition, its bugs mended; where the definition itself is
 * poor, a better feature stands beside it under its own name. Everything else equals the corrected tool.
 */

interface Difference {
  number: string
  touches: 'cells' | 'rows'
  cicflowmeter: string
  flowscribe: string
}

export const DIFFERENCES = [
  {
    number: 'A1',
    touches: 'rows',
    cicflowmeter: 'No timers: a flow ends when its own next packet comes.',
    flowscribe:
      'Idle timeouts by protocol and state and the active timeout of 120 s run on packet time; the active timeout cuts the row, the connection lives on until idle, and there are no empty rows.',
  },
  {
    number: 'A2',
    touches: 'rows',
    cicflowmeter: 'A closed connection takes packets in for up to 120 s, and a new SYN can merge into it.',
    flowscribe: 'FIN, FIN and ACK, or RST, close; late segments are taken in for idle_tcp_closed_s; a new SYN opens a new flow.',
  },
  {
    number: 'A3',
    touches: 'cells',
    cicflowmeter: 'Forward is the same source address: between two ports of one host every packet is forward.',
    flowscribe: "Forward is the initiator's address and port.",
  },
  {
    number: 'A4',
    touches: 'cells',
    cicflowmeter: 'Payload is what was captured; padding behind a VLAN tag counts.',
    flowscribe: 'Payload is what IP or UDP says, whatever was captured.',
  },
  {
    number: 'A5',
    touches: 'rows',
    cicflowmeter: 'Frames that are not IPv4 are read as IPv4 once more (ghost flows); IPv6 is off or wrong.',
    flowscribe: 'Every frame is what its type says; IPv6 is equal to IPv4.',
  },
  {
    number: 'A6',
    touches: 'rows',
    cicflowmeter: 'Later fragments form flows of protocol 0.',
    flowscribe: 'Later fragments count with their flow by IP id: they add to packets and payload and carry no flags.',
  },
  {
    number: 'A7',
    touches: 'cells',
    cicflowmeter: 'A rate of a flow that took no time is -1, 0, Infinity or NaN.',
    flowscribe: 'It is undefined: an empty cell, null in JSON, or what --empty says.',
  },
  {
    number: 'A8',
    touches: 'cells',
    cicflowmeter: 'Subflow values are totals by the number of gaps over 1 s, and 0 without a gap.',
    flowscribe: 'The columns of that name keep this; subflow_count, gaps and one, stands beside them.',
  },
  {
    number: 'A9',
    touches: 'cells',
    cicflowmeter: 'The last active period and bursts of one packet are not recorded.',
    flowscribe: 'The columns of that name keep this; active_time_us, idle_time_us and idle_count, with every period, stand beside them.',
  },
  {
    number: 'A10',
    touches: 'cells',
    cicflowmeter: 'Bwd Seg Size Min is always 0, and FWD Init Win Bytes is 0 when a row starts with a backward packet.',
    flowscribe: 'The true minimum; the windows of the connection, carried over a cut.',
  },
  {
    number: 'A11',
    touches: 'cells',
    cicflowmeter: 'A retransmission is a segment whose numbers were seen before: repeated ACKs count.',
    flowscribe: 'It is a segment with payload, SYN or FIN that starts below the highest sequence number sent; keep-alives apart.',
  },
  {
    number: 'A12',
    touches: 'rows',
    cicflowmeter: 'Captures out of order give negative times.',
    flowscribe: "Packets are reordered within bounds; what is still late is counted and takes its flow's last time.",
  },
  {
    number: 'A13',
    touches: 'rows',
    cicflowmeter: 'An ICMP flow ends when type and code both differ from its first packet.',
    flowscribe: 'The key holds the type with its counterpart, or type and code, as Community ID does, and the echo id.',
  },
  {
    number: 'A14',
    touches: 'rows',
    cicflowmeter: 'Wrappers are not read, or inner ports are joined with outer addresses.',
    flowscribe: 'The innermost IP packet is metered, the outer addresses are kept; TCP or UDP quoted in an ICMP error is not a packet.',
  },
  {
    number: 'A15',
    touches: 'rows',
    cicflowmeter: 'A flow is turned round only when its first packet is a SYN+ACK.',
    flowscribe: "The same, and a later SYN the other way within the connection's first packets corrects the direction.",
  },
] as const satisfies readonly Difference[]

export type DifferenceNumber = (typeof DIFFERENCES)[number]['number']
