/** Evidence: what another person needs to get the same result. */

import { parseAddress } from '../../base/address.ts'
import { ICMP, ICMPV6, PROTO_ARP, TCP, UDP } from '../../flow/flow.ts'
import type { AlertEvent, KeptFlow } from '../../score/evidence.ts'
import type { Envelope } from '../alert-line.ts'
import type { Facts } from '../facts.ts'
import { blocks, bullets, code, codeBlock, table } from '../markdown.ts'
import { bytesText, countOf, exactTimeText, measuredCode, sentences } from '../words.ts'

/** How many telling flows the tshark line names: more make it unreadable. */
const NAMED_FLOWS_MAX = 3

export function provenance(facts: Facts, envelope: Envelope, stem: string): string {
  const { alert } = facts
  const filter = facts.isArp ? arpFilter(facts) : tsharkFilter(alert.flows)
  const hasRecords = alert.flows.some((flow) => flow.record !== undefined)
  const rows = alert.flows.map((flow) => [code(String(flow.id)), measuredCode(flow.communityId), ...(hasRecords ? [recordText(flow)] : [])])
  return blocks([
    filter === ''
      ? ''
      : blocks([
          facts.isArp ? 'The messages in the capture:' : 'The telling flows in the capture:',
          codeBlock('sh', [`tshark -r ${captureName(envelope)} -Y '${filter}'`]),
        ]),
    sliceText(facts, stem),
    rows.length === 0 ? '' : table(['Flow', 'Community ID', ...(hasRecords ? ['Record'] : [])], rows),
    bullets([
      `Alert ${code(alert.id)}, feature set ${code(alert.featureSet)}, configuration ${code(alert.sensor.configDigest)}`,
      `Sensor ${code(alert.sensor.name)}${envelope.in_iface === undefined ? '' : `, interface ${code(envelope.in_iface)}`}`,
      sentences(
        `flowscribe ${code(alert.sensor.version)} wrote this report from the alert line alone;`,
        `${code('flowscribe verify')} checks every number in it`,
      ),
    ]),
  ])
}

/** What lies beside the report. What is in it to the packet is known only later, and counted in a file of its own. */
function sliceText({ alert, isArp }: Facts, stem: string): string {
  const { slice } = alert
  if (slice === undefined) return noSliceText(alert)
  const packets = isArp ? null : sumOf(alert.flows.map((flow) => sumOf(flow.packets)))
  const octets = isArp ? null : sumOf(alert.flows.map((flow) => sumOf(flow.ipBytes)))
  const starts = isArp ? [alert.episode.first] : alert.flows.map((flow) => flow.start)
  const { heldFrom } = slice
  const isForgotten = heldFrom !== null && starts.some((start) => start <= heldFrom)
  const isTooMuch = (packets ?? 0) > slice.packetsMax || (octets ?? 0) > slice.bytesMax
  const part = isTooMuch ? 'the first of ' : isForgotten ? 'what there was left of ' : ''
  const what = isArp ? `${part}the messages` : packets === null ? `${part}their packets` : `${part}their ${countOf(packets, 'packet')}`
  return sentences(
    `${code(`${stem}.pcap`)} beside this report keeps ${what},`,
    slice.source === 'files'
      ? 'cut from the capture files at the end of the run.'
      : heldFrom === null
        ? "cut from the sensor's memory, which then held all since the run began."
        : `cut from the sensor's memory, which then reached back to ${exactTimeText(heldFrom)}.`,
    ...(isForgotten ? ['**Incomplete**: what is older than that is there only if this episode was told of before.'] : []),
    ...(isTooMuch ? [`**Incomplete**: it has room for ${countOf(slice.packetsMax, 'packet')} and ${bytesText(slice.bytesMax)}.`] : []),
    ...(slice.snapBytes === null ? [] : [`Of each frame it has at most ${bytesText(slice.snapBytes)}.`]),
    `${code(`${stem}.pcap.json`)} counts what is in it and says what is missing.`,
  )
}

/** Why there are no packets beside the report. */
function noSliceText({ visibility, flows, proto }: AlertEvent): string {
  if (visibility.records !== undefined) return 'No packets lie beside this report: flow records hold none.'
  if (flows.length === 0 && proto !== PROTO_ARP) return 'No packets lie beside this report: no single flow was kept whose they could be.'
  return 'No packets lie beside this report: none were asked for (`output.slices`), or others had taken the room for them (`output.slices_max`).'
}

function sumOf(values: readonly (number | null)[]): number | null {
  return values.reduce((sum, value) => (sum === null || value === null ? null : sum + value), 0)
}

/** Where to find it in the file that it came from. */
export function recordText(flow: KeptFlow): string {
  if (flow.record === undefined) return ''
  const { file, line, name } = flow.record
  return `${code(file)}, line ${line}${name === null ? '' : `, ${code(name)}`}`
}

/** Only names that a shell takes as they are; others are left for the reader to put in. */
function captureName(envelope: Envelope): string {
  const name = envelope.pcap_filename
  return name !== undefined && /^[\w./][\w./+-]*$/.test(name) ? name : 'CAPTURE'
}

/** What the claiming card said, or whom the searching host asked for. */
function arpFilter({ macs, actorMac, actorAddress }: Facts): string {
  const mac = macs[0] ?? actorMac
  if (mac !== null) return `arp.src.hw_mac == ${mac}`
  return actorAddress === null ? 'arp' : `arp.opcode == 1 && arp.src.proto_ipv4 == ${actorAddress}`
}

function tsharkFilter(flows: readonly KeptFlow[]): string {
  // Rows of one pair without ports have one filter.
  const filters = new Set(flows.slice(0, NAMED_FLOWS_MAX).map(flowFilter))
  return [...filters]
    .filter((filter) => filter !== '')
    .map((filter, _i, all) => (all.length === 1 ? filter : `(${filter})`))
    .join(' || ')
}

export function flowFilter(flow: KeptFlow): string {
  if (flow.addr.some((address) => address === null || parseAddress(address) === null)) return ''
  const family = flow.addr[0]?.includes(':') ? 'ipv6' : 'ip'
  const transport = flow.proto === TCP ? 'tcp' : flow.proto === UDP ? 'udp' : null
  const message = flow.proto === ICMP ? ['icmp'] : flow.proto === ICMPV6 ? ['icmpv6'] : []
  const hosts = flow.addr.map((address) => `${family}.addr == ${address}`)
  const ports = transport === null ? [] : flow.port.filter((port) => port !== null).map((port) => `${transport}.port == ${port}`)
  return [...hosts, ...message, ...ports].join(' && ')
}
