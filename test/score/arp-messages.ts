/** ARP messages made by hand, for tests of context/ and score/. Times in seconds; a card is named after its address. */
import type { ArpSighting, CarriedSighting, LinkSighting } from '../../src/decode/link-sighting.ts'
import type { AlertEvent } from '../../src/score/evidence.ts'
import { analyst } from './flows.ts'

const NO_MAC = '00:00:00:00:00:00'

export function mac(name: string): string {
  const octets = name.split('.').map((part) => (Number(part) & 255).toString(16).padStart(2, '0'))
  return ['02', '00', ...octets, ...Array.from({ length: 4 - octets.length }, () => '00')].join(':')
}

function message(isRequest: boolean, from: string, to: string, at: number, card: string, targetMac: string): ArpSighting {
  return { kind: 'arp', atUs: at * 1e6, segment: '', isRequest, senderMac: card, senderAddress: from, targetMac, targetAddress: to }
}

export const request = (from: string, to: string, at: number, card = mac(from)): ArpSighting => message(true, from, to, at, card, NO_MAC)
export const reply = (from: string, to: string, at: number, card = mac(from)): ArpSighting => message(false, from, to, at, card, mac(to))
export const announcement = (address: string, at: number, card = mac(address)): ArpSighting =>
  message(true, address, address, at, card, NO_MAC)
export const probe = (address: string, at: number, card = mac(address)): ArpSighting => message(true, '0.0.0.0', address, at, card, NO_MAC)

export function carried(fromMac: string, toMac: string, source: string, destination: string, at: number): CarriedSighting {
  return { kind: 'carried', atUs: at * 1e6, fromMac, toMac, sourceAddress: source, destinationAddress: destination }
}

/** Everything to an analyst with default options, in order of time; the closing events. */
export function judgeLink(sightings: readonly LinkSighting[]): AlertEvent[] {
  const closed: AlertEvent[] = []
  const it = analyst((event) => {
    if (event.event === 'close') closed.push(event)
  })
  const inOrder = [...sightings].sort((a, b) => a.atUs - b.atUs)
  for (const sighting of inOrder) it.onLink(sighting)
  it.finish((inOrder.at(-1)?.atUs ?? 0) + 1e6)
  return closed
}
