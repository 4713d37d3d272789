/**
 * HOST:PORT, as options name a place to listen at or to send to.
 *
 * In:  '127.0.0.1:9477', '[::1]:514', 'logs.example.org:514'. Out: host and port; null for anything else.
 * Not: whether the host can be found: names are looked up when they are used.
 */

export interface Endpoint {
  host: string
  port: number
}

const ENDPOINT = /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?)):(\d{1,5})$/i
const PORT_MAX = 65_535

export function parseEndpoint(text: string): Endpoint | null {
  const match = ENDPOINT.exec(text)
  if (match === null) return null
  const port = Number(match[3])
  const host = match[1] ?? match[2]
  if (port < 1 || port > PORT_MAX || !isHost(host, match[1] !== undefined)) return null
  return { host, port }
}

/** Only digits and dots must be an address: 127.0.0.300 is a slip, not a name. */
function isHost(host: string, isBracketed: boolean): boolean {
  if (isBracketed) return host.includes(':')
  if (!/^[\d.]+$/.test(host)) return true
  const parts = host.split('.')
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)
}
