/**
 * Conversations as scripts: who sends what when, one line a packet.
 *
 *   const c = conversation()
 *   meterFrames([c.tcp(0, '>', 'S'), c.tcp(0.1, '<', 'SA'), c.tcp(0.2, '>', 'A')])
 *
 * Times are seconds since BASE_SEC; sequence numbers follow by themselves unless a line says otherwise.
 */
import type { Frame } from '../capture/records.ts'
import {
  type Endpoint,
  ethernetFrame,
  flagBits,
  icmpMessage,
  ipPacket,
  type TcpFields,
  type Transport,
  tcpSegment,
  udpDatagram,
} from '../decode/frames.ts'

export const BASE_SEC = 1_700_000_000

/** '>' from the client, '<' from the server. */
export type Arrow = '>' | '<'

export interface Conversation {
  tcp(timeS: number, arrow: Arrow, flags: string, payloadLen?: number, fields?: Partial<TcpFields>): Frame
  udp(timeS: number, arrow: Arrow, payloadLen?: number): Frame
  icmp(timeS: number, arrow: Arrow, type: number, code: number, rest?: Uint8Array): Frame
}

export interface ConversationForm {
  client: Endpoint
  server: Endpoint
  vlans: readonly number[]
}

export function timeUs(timeS: number): number {
  return BASE_SEC * 1e6 + Math.round(timeS * 1e6)
}

export function conversation(form: Partial<ConversationForm> = {}): Conversation {
  const { client = { address: '10.0.0.1', port: 40_000 }, server = { address: '10.0.0.2', port: 80 }, vlans = [] } = form
  const nextSeq: Record<Arrow, number> = { '>': 1000, '<': 5000 }
  const frame = (timeS: number, arrow: Arrow, transport: Transport): Frame => {
    const [from, to] = arrow === '>' ? [client, server] : [server, client]
    return ethernetFrame(timeUs(timeS), ipPacket(from.address, to.address, transport), transport.payloadLen, vlans)
  }
  const ports = (arrow: Arrow): [number, number] => (arrow === '>' ? [client.port, server.port] : [server.port, client.port])
  return {
    tcp(timeS, arrow, flags, payloadLen = 0, fields = {}) {
      const bits = flagBits(flags)
      const seq = fields.seq ?? nextSeq[arrow]
      nextSeq[arrow] = seq + payloadLen + ((bits >> 1) & 1) + (bits & 1)
      const ack = nextSeq[arrow === '>' ? '<' : '>']
      return frame(timeS, arrow, tcpSegment(...ports(arrow), { flags: bits, seq, ack, payloadLen, ...fields }))
    },
    udp: (timeS, arrow, payloadLen = 100) => frame(timeS, arrow, udpDatagram(...ports(arrow), payloadLen)),
    icmp: (timeS, arrow, type, code, rest = new Uint8Array(4)) =>
      frame(timeS, arrow, icmpMessage(type, code, rest, client.address.includes(':') ? 58 : 1)),
  }
}
