/**
 * The two ends of a record: addresses, ports, protocol; NO_ADDRESS and 0 where it names none.
 *
 * In:  the texts that a format has for them. Out: the ends, and which of them the record does name; null when what it names is wrong.
 * Not: who is client.
 */
import { printableCut } from '../../base/printable.ts'
import { ICMP, ICMPV6, NO_ADDRESS, type Pair, SCTP, TCP, UDP } from '../../flow/flow.ts'
import type { Cells } from './cells.ts'
import { addressText } from './foreign-flow.ts'
import { protoNumber } from './protocol-names.ts'

const SHOWN_LEN_MAX = 50
const WITH_PORTS: readonly number[] = [TCP, UDP, SCTP]

export interface EndpointNames {
  proto: readonly string[]
  addr: Pair<readonly string[]>
  port: Pair<readonly string[]>
}

export interface Endpoints {
  proto: number
  addr: Pair<string>
  port: Pair<number>
  hasAddresses: boolean
  hasPort: Pair<boolean>
}

export function endpointsOf(cells: Cells, names: EndpointNames): Endpoints | null {
  const protoText = cells.text(...names.proto)
  if (protoText === null) return cells.fail(names.proto[0], 'no protocol')
  const proto = protoNumber(protoText)
  if (proto === null) return cells.fail(names.proto[0], `'${printableCut(protoText, SHOWN_LEN_MAX)}' is no protocol`)
  const addr = names.addr.map((columns) => addressOf(cells, columns))
  const hasAddresses = addr.every((address) => address !== NO_ADDRESS)
  if (!hasAddresses && addr.some((address) => address !== NO_ADDRESS)) return cells.fail(names.addr[0][0], 'only one of the two addresses')
  const isIcmp = proto === ICMP || proto === ICMPV6
  const ports = isIcmp ? icmpType(cells, names) : names.port.map((columns) => cells.port(...columns))
  if (cells.fault !== null) return null
  const isNeeded = isIcmp || WITH_PORTS.includes(proto)
  return {
    proto,
    addr: [addr[0], addr[1]],
    port: isNeeded ? [ports[0] ?? 0, ports[1] ?? 0] : [0, 0],
    hasAddresses,
    hasPort: [!isNeeded || ports[0] !== null, !isNeeded || ports[1] !== null],
  }
}

function addressOf(cells: Cells, names: readonly string[]): string {
  const text = cells.text(...names)
  if (text === null) return NO_ADDRESS
  return addressText(text) ?? cells.fail(names[0], `'${printableCut(text, SHOWN_LEN_MAX)}' is no address`) ?? NO_ADDRESS
}

/** [type, code]: a column of its own, nfdump's `8.0`, or type × 256 + code in the place of the destination port, as NetFlow has it. */
function icmpType(cells: Cells, names: EndpointNames): Pair<number | null> {
  const own = cells.count('icmp_type', 'icmp_ipv4_type')
  const code = cells.count('icmp_code')
  if (own !== null) return cells.has('icmp_code') || own < 256 ? [own & 0xff, code ?? 0] : [own >>> 8, own & 0xff]
  const dotted = /^(\d{1,3})\.(\d{1,3})$/.exec(cells.text(...names.port[1]) ?? '')
  if (dotted !== null) return [Number(dotted[1]), Number(dotted[2])]
  const packed = cells.port(...names.port[1])
  return packed === null ? [null, null] : [packed >>> 8, packed & 0xff]
}
