/**
 * Observable features: the eighteen NetFlow names of the most telling flow, then its full feature vector folded away.
 *
 * The invariant: IN_ is what the initiator sent; a value that was not measured says so. Each formula here stands
 * a second time in verify-values.ts, on purpose: the check shares nothing with the report.
 */
import type { AlertEvent, KeptFlow } from '../../score/evidence.ts'
import type { Facts } from '../facts.ts'
import { tellingFlow } from '../facts.ts'
import { blocks, code, escapeText, folded, table } from '../markdown.ts'
import { exactTimeText, measuredCode, measuredText, NOT_MEASURED, plainNumber } from '../words.ts'

/** What the tables are made from. */
export type Featured = Pick<AlertEvent, 'flows' | 'features' | 'windowFeatures' | 'featureSet'>

interface NetflowName {
  name: string
  unit: string
  meaning: string
  value: (flow: KeptFlow, alert: Featured) => string
}

const inWindow =
  (name: string) =>
  (_flow: KeptFlow, alert: Featured): string =>
    measuredText(alert.windowFeatures[name], plainNumber)

const NETFLOW_NAMES: readonly NetflowName[] = [
  { name: 'ID', unit: '', meaning: 'flow id', value: (flow) => String(flow.id) },
  { name: 'IP_SRC_ADDR', unit: '', meaning: 'source', value: (flow) => measuredCode(flow.addr[sourceSide(flow)]) },
  { name: 'IP_DST_ADDR', unit: '', meaning: 'destination', value: (flow) => measuredCode(flow.addr[1 - sourceSide(flow)]) },
  { name: 'L4_SRC_PORT', unit: '', meaning: "source's port", value: (flow) => measuredText(flow.port[sourceSide(flow)], String) },
  { name: 'L4_DST_PORT', unit: '', meaning: "destination's port", value: (flow) => measuredText(flow.port[1 - sourceSide(flow)], String) },
  { name: 'PROTOCOL_NUM', unit: '', meaning: 'IANA protocol number', value: (flow) => String(flow.proto) },
  { name: 'FIRST_SWITCHED', unit: 'UTC', meaning: 'first packet', value: (flow) => escapeText(exactTimeText(flow.start)) },
  { name: 'LAST_SWITCHED', unit: 'UTC', meaning: 'last packet', value: (flow) => escapeText(exactTimeText(flow.start, flow.durationUs)) },
  {
    name: 'IN_PKTS',
    unit: 'packets',
    meaning: 'sent by the source',
    value: (flow) => measuredText(flow.packets[sourceSide(flow)], plainNumber),
  },
  {
    name: 'IN_BYTES',
    unit: 'B',
    meaning: 'sent by the source, from the IP header on',
    value: (flow) => measuredText(flow.ipBytes[sourceSide(flow)], plainNumber),
  },
  { name: 'FLOW_DURATION_MILLISECONDS', unit: 'ms', meaning: 'first to last packet', value: (flow) => plainNumber(flow.durationUs / 1000) },
  { name: 'avg_in_packet_size', unit: 'B', meaning: 'IN_BYTES by IN_PKTS', value: (flow) => measuredText(meanSize(flow), plainNumber) },
  {
    name: 'inter_arrival_ms',
    unit: 'ms',
    meaning: "mean gap between the source's packets",
    value: (flow, alert) => measuredText(meanGapMs(flow, alert), plainNumber),
  },
  { name: 'dst_flows_in_window', unit: 'flows', meaning: 'to the destination', value: inWindow('dst_flows_in_window') },
  { name: 'src_entropy_PROTOCOL', unit: 'bit', meaning: "of the source's protocols", value: protocolEntropy },
  { name: 'src_IN_PKTS_sum', unit: 'packets', meaning: 'sent by the source', value: inWindow('src_IN_PKTS_sum') },
  { name: 'src_flows_in_window', unit: 'flows', meaning: 'of the source', value: inWindow('src_flows_in_window') },
  { name: 'src_flag_SYN', unit: 'flows', meaning: 'of the source, with a SYN from it', value: inWindow('src_flag_SYN') },
]

/** A record of one direction keeps its own source, which may be the server; everywhere else the source is the initiator. */
function sourceSide(flow: KeptFlow): 0 | 1 {
  return flow.record?.side ?? 0
}

function meanSize(flow: KeptFlow): number | null {
  const packets = flow.packets[sourceSide(flow)]
  const bytes = flow.ipBytes[sourceSide(flow)]
  return packets === null || bytes === null || packets === 0 ? null : bytes / packets
}

/** Only where the initiator sent two packets or more is there a gap to average. */
function meanGapMs(flow: KeptFlow, alert: Featured): number | null {
  const packets = flow.packets[sourceSide(flow)]
  const meanUs = flow.id === alert.flows[0]?.id ? alert.features.fwd_iat_mean : undefined
  return packets === null || packets < 2 || meanUs === undefined || meanUs === null ? null : meanUs / 1000
}

/** One bit is what two protocols used evenly give: an entropy says nothing without its number of values. */
function protocolEntropy(_flow: KeptFlow, alert: Featured): string {
  const entropy = measuredText(alert.windowFeatures.src_entropy_PROTOCOL, plainNumber)
  const values = alert.windowFeatures.src_values_PROTOCOL
  if (entropy === NOT_MEASURED) return entropy
  // An entropy is a number of bits; close to one bit is two values used evenly, and no more than that.
  if (values === undefined || values === null) return `${entropy} (one bit is two protocols used evenly)`
  return `${entropy} over ${plainNumber(values)} ${values === 1 ? 'value' : 'values'}`
}

function sourceText(flow: KeptFlow): string {
  if (sourceSide(flow) === 0) return 'The source is the initiator, and IN is what it sent'
  return 'The record is the server half: its source is the responder, and IN is what the responder sent'
}

export function observableFeatures(facts: Facts): string {
  const { alert } = facts
  // ARP has no flow, hence none of a flow's features: the part is left out.
  if (facts.isArp) return ''
  const flow = tellingFlow(alert)
  return flow === null ? 'No single flow was kept.' : featureTables(flow, alert)
}

/** @param alert holds the features of its first flow. */
export function featureTables(flow: KeptFlow, alert: Featured): string {
  const rows = NETFLOW_NAMES.map((row) => {
    const value = row.value(flow, alert)
    return [row.name, value, value === NOT_MEASURED ? '' : row.unit, row.meaning]
  })
  const vector = Object.entries(alert.features).map(([name, value]) => [code(name), measuredText(value, plainNumber)])
  return blocks([
    `Of flow ${code(String(flow.id))}. ${sourceText(flow)}; window features are those of the five minutes around it.`,
    table(['Feature', 'Value', 'Unit', 'Meaning'], rows),
    vector.length === 0 ? '' : folded(`All features (${alert.featureSet})`, table(['Feature', 'Value'], vector)),
  ])
}
