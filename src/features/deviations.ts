/**
 * Known bugs of the two CICFlowMeters (FEATURES.md sections 6 and 7): what papers rest on without knowing.
 *
 * Out: one row a bug: those in which the two tools differ from the compat profiles' rules, the others here.
 * The default profile has none of them; a feature names those of its column.
 */
import { RULES } from './reference/rules.ts'

interface Deviation {
  number: string
  /** Which tool has it. */
  in: 'the original' | 'the corrected tool' | 'both'
  says: string
  /** The identifying column that it spoils; features name their own. */
  column?: string
}

const TOOLS = { 'as-published': 'the original', corrected: 'the corrected tool' } as const

const OTHERS = [
  { number: 'O15', in: 'the original', says: 'ICMP errors that quote TCP or UDP are taken for TCP or UDP packets' },
  {
    number: 'O16',
    in: 'both',
    says: 'protocols without a name of their own and later fragments are protocol 0 with port 0, one flow a pair of hosts',
  },
  { number: 'O18', in: 'both', says: 'ARP, IPv6 and other frames are read as IPv4 once more and make ghost flows' },
  { number: 'O19', in: 'both', says: 'IPv6 is off, and its code counts milliseconds as microseconds and reads no flags' },
  { number: 'O20', in: 'both', says: 'a flow ends 120 s after its first packet, and only when its next packet comes' },
  {
    number: 'O21',
    in: 'both',
    says: 'the number of subflows is that of the gaps, one too few, and all subflow values are 0 without a gap',
  },
  { number: 'O22', in: 'both', says: 'the last active period and bursts of one packet are never recorded' },
  { number: 'O23', in: 'both', says: 'direction is by address alone: on the loopback interface every packet is forward' },
  { number: 'O25', in: 'both', says: 'padding behind a VLAN tag counts as payload, and what the capture cut off does not' },
  { number: 'O26', in: 'both', says: 'times are negative in captures out of order' },
  { number: 'F1', in: 'the corrected tool', says: 'a closed flow takes packets in until a SYN, the 120 s cut or the end of the file' },
  { number: 'F2', in: 'the corrected tool', says: 'without the last ACK of a close a new SYN on the same ports joins the old flow' },
  { number: 'F3', in: 'the corrected tool', says: "a FIN in a flow's first packet does not count for its close" },
  { number: 'F4', in: 'the corrected tool', says: 'the state of a close is lost at the 120 s cut' },
  {
    number: 'F5',
    in: 'the corrected tool',
    says: 'FWD Init Win Bytes is 0 when a row starts with a backward packet; after a cut both windows are of its middle',
  },
  { number: 'F6', in: 'the corrected tool', says: 'Seg Size Min is 0 for the direction that did not send the first packet' },
  { number: 'F7', in: 'the corrected tool', says: 'an ICMP flow is split only when type and code both change; the echo id is ignored' },
  { number: 'F9', in: 'the corrected tool', says: 'with a duration of 0, Fwd and Bwd Packets/s are 0 while the flow rates are -1' },
  {
    number: 'F12',
    in: 'the corrected tool',
    says: 'repeated ACKs and keep-alives count as retransmissions, a segment sent again with a new ACK or window does not',
  },
  { number: 'F13', in: 'the corrected tool', says: 'packets of IP protocols that its library cannot name are lost' },
  {
    number: 'F14',
    in: 'the corrected tool',
    says: 'two columns say the same: Average Packet Size and Packet Length Mean, Segment Size Avg and Packet Length Mean, Std² and Variance',
  },
] as const satisfies readonly Deviation[]

export type DeviationNumber = (typeof RULES)[number]['number'] | (typeof OTHERS)[number]['number']

type NumberedDeviation = Deviation & { number: DeviationNumber }

function fromRule(rule: (typeof RULES)[number]): NumberedDeviation {
  return { number: rule.number, in: TOOLS[rule.in], says: rule.does, ...('column' in rule ? { column: rule.column } : {}) }
}

/** The original's O1 to O26, then the corrected tool's F1 to F14. */
export const DEVIATIONS: readonly NumberedDeviation[] = [...RULES.map(fromRule), ...OTHERS].sort(byNumber)

function byNumber(a: NumberedDeviation, b: NumberedDeviation): number {
  if (a.number[0] !== b.number[0]) return a.number[0] === 'O' ? -1 : 1
  return Number(a.number.slice(1)) - Number(b.number.slice(1))
}
