/**
 * An alert event as a syslog message, RFC 5424.
 *
 *   <PRI>1 TIMESTAMP HOST APP PROCID MSGID [flowscribe@PEN kind="…" sev="…" src="…" dst="…" cid="…" like="…" mitre="…" id="…" event="…" …] MSG
 *
 * In:  an alert line; who speaks. Out: the octets of one message, without any framing.
 * Not: how it travels (syslog-transport.ts).
 *
 * Whatever an alert holds, a message is one line, its structured data parses, and it is at most `bytesMax` long: values are cut first, so
 * that header and structured data always fit into 2048 octets (RFC 5426 asks receivers for as much), and MSG takes what is left.
 */
import { printable } from '../base/printable.ts'
import type { AlertLine } from '../explain/alert-line.ts'
import type { AlertEvent, Severity } from '../score/evidence.ts'
import { FACILITIES } from './options.ts'

/** CONVENTIONS.md section 2: our severity as syslog's (RFC 5424, section 6.2.1). */
const SYSLOG_SEVERITY = { critical: 2, high: 3, medium: 4, low: 5, info: 6 } as const satisfies Record<Severity, number>

/** What a parameter of the structured data says. One row is one parameter, in this order. */
export const PARAMETERS = [
  { name: 'kind', value: ({ kind }: AlertEvent) => kind },
  { name: 'sev', value: ({ severity }: AlertEvent) => severity },
  { name: 'src', value: ({ actor }: AlertEvent) => actor },
  { name: 'dst', value: ({ victims }: AlertEvent) => (victims.count === 1 ? victims.addresses[0] : victims.count > 1 ? 'many' : '') },
  { name: 'cid', value: ({ flows }: AlertEvent) => flows[0]?.communityId ?? undefined },
  { name: 'like', value: ({ likelihood }: AlertEvent) => likelihood.toFixed(2) },
  { name: 'mitre', value: ({ attack }: AlertEvent) => attack.map(({ id }) => id).join(',') },
  { name: 'id', value: ({ id }: AlertEvent) => id },
  { name: 'event', value: ({ event }: AlertEvent) => event },
  { name: 'muted', value: ({ suppressed }: AlertEvent) => suppressed?.rule },
] as const satisfies readonly { name: string; value(alert: AlertEvent): string | undefined }[]

export interface SyslogSpeaker {
  facility: (typeof FACILITIES)[number]
  host: string
  procId: number
  enterpriseNumber: number
  message: 'text' | 'json' | 'cee'
}

/** Octets of a value before escaping, which may double them. */
const VALUE_BYTES_MAX = 96
/** RFC 5424 allows 255 octets for a host. */
const HOST_LEN_MAX = 64
/** The longest message that goes into a datagram. */
export const DATAGRAM_BYTES_MAX = 2048

export function syslogMessage({ text, envelope, alert }: AlertLine, speaker: SyslogSpeaker, bytesMax: number): Buffer {
  const pri = FACILITIES.indexOf(speaker.facility) * 8 + SYSLOG_SEVERITY[alert.suppressed === undefined ? alert.severity : 'info']
  const header = `<${pri}>1 ${timestamp(envelope.timestamp)} ${hostName(speaker.host)} flowscribe ${speaker.procId} alert`
  const head = `${header} ${structuredData(alert, speaker.enterpriseNumber)} `
  const room = bytesMax - Buffer.byteLength(head)
  const line = speaker.message === 'cee' ? `@cee: ${text}` : text
  // A line of JSON that was cut would be none.
  const isLine = speaker.message !== 'text' && Buffer.byteLength(line) <= room
  return Buffer.from(head + (isLine ? line : cutToBytes(sentence(alert), room)))
}

/** `[flowscribe@32473 kind="scan.vertical" …]`; what an alert does not have is left out. */
export function structuredData(alert: AlertEvent, enterpriseNumber: number): string {
  const parameters = PARAMETERS.map(({ name, value }) => ({ name, text: value(alert) ?? '' }))
    .filter(({ text }) => text !== '')
    .map(({ name, text }) => ` ${name}="${escaped(cutToBytes(printable(text), VALUE_BYTES_MAX))}"`)
  return `[flowscribe@${enterpriseNumber}${parameters.join('')}]`
}

/** RFC 5424, section 6.3.3. */
function escaped(value: string): string {
  return value.replace(/["\\\]]/g, (c) => `\\${c}`)
}

function sentence(alert: AlertEvent): string {
  const { addresses, count } = alert.victims
  const victims = count === 0 ? '' : ` to ${addresses[0] ?? 'many'}${count > 1 ? ` and ${count - 1} more` : ''}`
  const what = `${alert.title} from ${alert.actor}${victims}`
  return printable(
    `${what}: ${Math.round(alert.likelihood * 100)} % likely, ${alert.severity} (${alert.kind}, ${alert.event}, ${alert.id})`,
  )
}

/** eve's +0000 is none of RFC 3339. What is no time is said to be unknown. */
function timestamp(eveTime: string): string {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6})\d*\+0000$/.exec(eveTime)
  return match === null ? '-' : `${match[1]}Z`
}

/** Printable ASCII without spaces. */
function hostName(host: string): string {
  return host.replace(/[^\x21-\x7e]/g, '_').slice(0, HOST_LEN_MAX) || '-'
}

/** Cut between characters: a torn one would make the whole message invalid UTF-8. */
function cutToBytes(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text)
  // Also for what fits: half of a surrogate pair becomes a replacement character here.
  if (bytes.length <= bytesMax) return bytes.toString()
  let end = Math.max(bytesMax, 0)
  // Octets 10xxxxxx continue a character.
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}
