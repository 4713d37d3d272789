/** Evidence: what another person needs to get the same result. */

import { parseAddress } from '../../base/address.ts'
import { TCP, UDP } from '../../flow/flow.ts'
import type { KeptFlow } from '../../score/evidence.ts'
import type { Envelope } from '../alert-line.ts'
import type { Facts } from '../facts.ts'
import { blocks, bullets, code, codeBlock, table } from '../markdown.ts'
import { sentences } from '../words.ts'

/** How many telling flows the tshark line names: more make it unreadable. */
const NAMED_FLOWS_MAX = 3

export function provenance(facts: Facts, envelope: Envelope): string {
  const { alert } = facts
  const filter = tsharkFilter(alert.flows)
  const rows = alert.flows.map((flow) => [code(String(flow.id)), code(flow.communityId)])
  return blocks([
    filter === ''
      ? ''
      : blocks(['The telling flows in the capture:', codeBlock('sh', [`tshark -r ${captureName(envelope)} -Y '${filter}'`])]),
    rows.length === 0 ? '' : table(['Flow', 'Community ID'], rows),
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

/** Only names that a shell takes as they are; others are left for the reader to put in. */
function captureName(envelope: Envelope): string {
  const name = envelope.pcap_filename
  return name !== undefined && /^[\w./][\w./+-]*$/.test(name) ? name : 'CAPTURE'
}

function tsharkFilter(flows: readonly KeptFlow[]): string {
  return flows
    .slice(0, NAMED_FLOWS_MAX)
    .map(flowFilter)
    .filter((filter) => filter !== '')
    .map((filter, _i, all) => (all.length === 1 ? filter : `(${filter})`))
    .join(' || ')
}

export function flowFilter(flow: KeptFlow): string {
  if (flow.addr.some((address) => parseAddress(address) === null)) return ''
  const family = flow.addr[0].includes(':') ? 'ipv6' : 'ip'
  const transport = flow.proto === TCP ? 'tcp' : flow.proto === UDP ? 'udp' : null
  const hosts = flow.addr.map((address) => `${family}.addr == ${address}`)
  const ports = transport === null ? [] : flow.port.map((port) => `${transport}.port == ${port}`)
  return [...hosts, ...ports].join(' && ')
}
