/**
 * Which flows are compared with which: protocol × service × direction, and the coarser buckets that scores are ranked in.
 *
 * In:  a judged flow. Out: a group's number below GROUP_COUNT, a bucket's below BUCKET_COUNT, and words for both.
 * Not: what is really spoken. A port names a usual service, nothing more.
 */

import { SERVER } from '../../context/contact.ts'
import { TCP, UDP } from '../../flow/flow.ts'
import type { Direction, Judged } from '../orientation.ts'

const PROTOS = ['TCP', 'UDP', 'other'] as const
const DIRECTIONS = ['out', 'in', 'lat', 'ext'] as const

/** Service classes by server port; the last two take what no list names. */
const SERVICES = [
  { name: 'DNS', ports: [53, 853] },
  { name: 'HTTP', ports: [80, 8000, 8008, 8080, 8081, 8888, 3128] },
  { name: 'HTTPS', ports: [443, 8443] },
  { name: 'mail', ports: [25, 110, 143, 465, 587, 993, 995] },
  { name: 'remote shell', ports: [22, 23, 2222] },
  { name: 'file sharing', ports: [135, 137, 138, 139, 445, 2049] },
  { name: 'remote desktop', ports: [3389, 5900, 5985, 5986] },
  { name: 'database', ports: [1433, 1521, 3306, 5432, 6379, 9042, 9200, 11_211, 27_017] },
  { name: 'infrastructure', ports: [67, 68, 88, 123, 161, 162, 389, 514, 546, 547, 636, 1812, 1900, 3702, 5351, 5353, 5355] },
  { name: 'other low-port', ports: [] },
  { name: 'other high-port', ports: [] },
] as const satisfies readonly { name: string; ports: readonly number[] }[]

export const SERVICE_COUNT = SERVICES.length
export const GROUP_COUNT = PROTOS.length * SERVICE_COUNT * DIRECTIONS.length
export const BUCKET_COUNT = PROTOS.length * DIRECTIONS.length

const WELL_KNOWN_END = 1024
const OTHER_LOW = SERVICES.findIndex(({ name }) => name === 'other low-port')
const OTHER_HIGH = OTHER_LOW + 1

const SERVICE_OF_PORT = new Uint8Array(65_536).map((_, port) => {
  const listed = SERVICES.findIndex(({ ports }) => (ports as readonly number[]).includes(port))
  if (listed >= 0) return listed
  return port < WELL_KNOWN_END ? OTHER_LOW : OTHER_HIGH
})

/** Outside to outside, and what nobody could place, are compared among themselves. */
const DIRECTION_INDEX: Readonly<Record<Direction, number>> = { out: 0, in: 1, lat: 2, ext: 3, unknown: 3 }

function protoIndex(proto: number): number {
  return proto === TCP ? 0 : proto === UDP ? 1 : 2
}

export function groupOf(judged: Judged): number {
  const proto = protoIndex(judged.proto)
  // ICMP's "ports" are types and codes.
  const service = proto === 2 ? OTHER_LOW : SERVICE_OF_PORT[judged.port[SERVER] & 0xffff]
  return (proto * SERVICE_COUNT + service) * DIRECTIONS.length + DIRECTION_INDEX[judged.direction]
}

export function bucketOf(judged: Judged): number {
  return DIRECTION_INDEX[judged.direction] * PROTOS.length + protoIndex(judged.proto)
}

const DIRECTION_WORDS = ['leaving this network', 'coming in', 'inside this network', 'between outside hosts'] as const

/** Goes after "flows of": 'HTTPS over TCP, leaving this network'. */
export function groupWords(group: number): string {
  const direction = group % DIRECTIONS.length
  const service = Math.floor(group / DIRECTIONS.length) % SERVICE_COUNT
  const proto = Math.floor(group / DIRECTIONS.length / SERVICE_COUNT)
  return `${SERVICES[service].name} over ${PROTOS[proto] === 'other' ? 'other protocols' : PROTOS[proto]}, ${DIRECTION_WORDS[direction]}`
}
