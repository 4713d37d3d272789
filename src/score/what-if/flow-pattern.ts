/**
 * The name of what an ordinary flow is, told from ports, shape and direction (SCORER.md section 7 B's names).
 *
 * In:  a judged flow. Out: a name and what it rests on; 'unnamed' where nothing fits.
 * Not: a verdict. A name says what a flow looks like; ports name usual services, and payload is not read.
 */
import { CLIENT, SERVER } from '../../context/contact.ts'
import { ICMP, ICMPV6, TCP, UDP } from '../../flow/flow.ts'
import type { Judged } from '../orientation.ts'

export interface FlowPattern {
  name: string
  /** What it rests on, as a clause. */
  because: string
}

interface Row extends FlowPattern {
  holds: (judged: Judged) => boolean
}

const MUCH_BYTES = 1e6
const ONE_WAY_FACTOR = 10
const HIGH_PORT_MIN = 1024

const toPort =
  (...ports: readonly number[]) =>
  ({ port }: Judged): boolean =>
    ports.includes(port[SERVER])

const isUdp = ({ proto }: Judged): boolean => proto === UDP

/** The first that holds. */
const PATTERNS: readonly Row[] = [
  {
    name: 'server.half',
    because: 'only the server’s packets were seen, as one-way exporters and mirrors of one direction give them',
    holds: (j) => j.halves === 'resp',
  },
  { name: 'discovery.multicast', because: 'it went to a group or broadcast address', holds: (j) => j.isToGroup },
  { name: 'dns.lookup', because: 'it went to the port of name servers', holds: toPort(53) },
  { name: 'time.sync', because: 'it went to the port of time servers', holds: (j) => isUdp(j) && toPort(123)(j) },
  {
    name: 'unanswered.probe.in',
    because: 'it came from outside and nothing answered',
    holds: (j) => j.direction === 'in' && j.outcome === 'failed',
  },
  { name: 'unanswered.attempt', because: 'it was tried and nothing answered, or it was refused', holds: (j) => j.outcome === 'failed' },
  { name: 'ping', because: 'it is an exchange of echoes', holds: (j) => j.proto === ICMP || j.proto === ICMPV6 },
  { name: 'mail', because: 'it went to a port of mail servers', holds: toPort(25, 110, 143, 465, 587, 993, 995) },
  { name: 'remote.admin', because: 'it went to a port of remote administration', holds: toPort(22, 23, 3389, 5900, 5985, 5986) },
  { name: 'file.share', because: 'it went to a port of file servers', holds: toPort(139, 445, 2049) },
  { name: 'db.query', because: 'it went to a port of databases', holds: toPort(1433, 1521, 3306, 5432, 6379, 27017) },
  { name: 'push.keepalive', because: 'it went to a port of push services', holds: toPort(1883, 5222, 5223, 5228, 8883) },
  { name: 'vpn.tunnel', because: 'it went to a port of tunnels', holds: (j) => isUdp(j) && toPort(500, 1194, 4500, 51820)(j) },
  { name: 'download', because: 'much came in and little went out', holds: (j) => isMostly(j, SERVER) },
  { name: 'upload', because: 'much went out and little came in', holds: (j) => isMostly(j, CLIENT) },
  { name: 'web.browse', because: 'it went to a port of web servers', holds: toPort(80, 443, 8000, 8080, 8443) },
  { name: 'media.call', because: 'datagrams went both ways at the rate of a call', holds: isCall },
  { name: 'p2p', because: 'both ends use high ports', holds: (j) => isUdp(j) && j.port.every((port) => port >= HIGH_PORT_MIN) },
]

function isMostly(judged: Judged, side: 0 | 1): boolean {
  const much = judged.payloadBytes[side] ?? 0
  return judged.proto === TCP && much >= MUCH_BYTES && much >= ONE_WAY_FACTOR * (judged.payloadBytes[1 - side] ?? 0)
}

function isCall(judged: Judged): boolean {
  const seconds = (judged.lastUs - judged.startUs) / 1e6
  return (
    isUdp(judged) && seconds >= 5 && judged.packets.every((packets) => (packets ?? 0) / seconds >= 20 && (packets ?? 0) / seconds <= 200)
  )
}

export function patternOf(judged: Judged): FlowPattern {
  const { name, because } = PATTERNS.find((row) => row.holds(judged)) ?? {
    name: 'unnamed',
    because: 'its ports and shape fit none of the names',
  }
  return { name, because }
}
