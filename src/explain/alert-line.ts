/**
 * An alert event as one line of Suricata's eve.json, and back.
 *
 * In:  an `AlertEvent`, and what only the run knows (`Envelope`); or the text of a line.
 * Out: `AlertLine`: the text without its newline, under 64 KiB, keys in one order; and the alert event exactly as that
 *      text holds it: clean of control characters, cut where it was too long.
 * Not: other event types. CONVENTIONS.md section 2 has the formats; eve's schema closes the top level and `alert`.
 *
 * The invariant: reports are rendered from `AlertLine.alert`, never from the event before it was cut and cleaned,
 * so that the line alone gives the same report again.
 */
import { parseAddress } from '../base/address.ts'
import { ICMP, ICMPV6, PROTO_ARP, protoName } from '../flow/flow.ts'
import { confidenceSteps } from '../score/capture-quality.ts'
import type { AlertEvent, KeptFlow, PictureData, Severity } from '../score/evidence.ts'
import { ALERT_SHAPE } from './alert-shape.ts'
import { isMac, tellingFlow } from './facts.ts'
import { GENERATOR_ID, kindWords } from './kinds.ts'
import { cleanText } from './markdown.ts'
import { faultsOf, fitTo, isRecord } from './shape-check.ts'
import { laterEveTime } from './words.ts'

export const LINE_BYTES_MAX = 64 * 1024 - 1

/** What a line says about the run, not about the traffic; outside the run's digest but for the time. */
export interface Envelope {
  /** When the event happened, in packet time: 2026-08-23T10:11:12.123456+0000. */
  timestamp: string
  /** Where the packets came from: an interface, or a file. */
  in_iface?: string
  pcap_filename?: string
  /** The sensor's name. */
  host?: string
}

export interface AlertLine {
  text: string
  envelope: Envelope
  alert: AlertEvent
  /** What the line had no room for, as JSON; absent when it holds all. Nothing is rendered from it. */
  beyond?: string
}

/** A line that is none of ours, or is damaged; the message says where and why. */
export class AlertLineError extends Error {
  override readonly name = 'AlertLineError'
}

/** How much of an alert a line takes along; the first level whose line is short enough is used. */
interface Level {
  picturePointsMax: number
  timelineMax: number
  flowsMax: number
  textMax: number
  listMax: number
}

const LEVELS: readonly Level[] = [
  { picturePointsMax: 512, timelineMax: 64, flowsMax: 8, textMax: 400, listMax: 32 },
  { picturePointsMax: 256, timelineMax: 32, flowsMax: 8, textMax: 400, listMax: 32 },
  { picturePointsMax: 128, timelineMax: 16, flowsMax: 4, textMax: 200, listMax: 16 },
  { picturePointsMax: 32, timelineMax: 8, flowsMax: 2, textMax: 100, listMax: 12 },
  { picturePointsMax: 0, timelineMax: 4, flowsMax: 1, textMax: 40, listMax: 6 },
]

export function makeAlertLine(event: AlertEvent, envelope: Envelope): AlertLine {
  const cleanEnvelope = cleaned(envelope)
  for (const level of LEVELS) {
    const alert = fitTo(cut(event, level), ALERT_SHAPE, level) as AlertEvent
    const text = JSON.stringify(eveObject(alert, cleanEnvelope))
    if (Buffer.byteLength(text) > LINE_BYTES_MAX) continue
    const beyond = beyondLine(event, alert)
    return { text, envelope: cleanEnvelope, alert, ...(beyond === null ? {} : { beyond }) }
  }
  throw new Error(`alert ${event.id} does not fit into ${LINE_BYTES_MAX} bytes at the least level`)
}

/** First in the file, so that the report folder knows its own files again. */
export const BEYOND_MARK = '{"writtenBy":"flowscribe"'

/** Pictures and timelines of which the line took only a part, whole. */
function beyondLine(event: AlertEvent, alert: AlertEvent): string | null {
  const pictures = event.pictures.filter((picture, i) => sizeOf(picture) > sizeOf(alert.pictures[i]))
  const timelines = event.flows.filter((flow, i) => flow.timeline.length > (alert.flows[i]?.timeline.length ?? 0))
  if (pictures.length === 0 && timelines.length === 0) return null
  const flows = timelines.map(({ id, timeline }) => ({ id, timeline }))
  return `${BEYOND_MARK},${JSON.stringify({ id: event.id, event: event.event, pictures, flows }).slice(1)}`
}

/** How many points a picture holds. */
function sizeOf(picture: PictureData | undefined): number {
  if (picture === undefined) return 0
  return Object.values(picture).reduce((most: number, value) => (Array.isArray(value) ? Math.max(most, value.length) : most), 0)
}

function cleaned(envelope: Envelope): Envelope {
  return Object.fromEntries(
    (['timestamp', 'in_iface', 'pcap_filename', 'host'] as const)
      .filter((key) => envelope[key] !== undefined)
      .map((key) => [key, cleanText(envelope[key] ?? '').slice(0, 400)]),
  ) as unknown as Envelope
}

function cut(event: AlertEvent, level: Level): AlertEvent {
  const flows = event.flows.slice(0, level.flowsMax).map((flow) => ({ ...flow, timeline: flow.timeline.slice(0, level.timelineMax) }))
  return { ...event, flows, pictures: event.pictures.map((picture) => cutPicture(picture, level.picturePointsMax)) }
}

function cutPicture(picture: PictureData, max: number): PictureData {
  if (picture.picture === 'sessions') {
    const sessions = keepTelling(picture.sessions, max, (session) => session.odd)
    return { ...picture, sessions, omitted: picture.omitted + picture.sessions.length - sessions.length }
  }
  if (picture.picture === 'concurrent') return { ...picture, points: everyNth(picture.points, Math.max(CONCURRENT_POINTS_MIN, max)) }
  if (picture.picture === 'claims') {
    const marks = picture.marks.slice(-Math.max(0, max)).slice(0, max)
    return { ...picture, marks, omitted: picture.omitted + picture.marks.length - marks.length }
  }
  // The others are small by nature.
  if (picture.picture !== 'grid') return picture
  const cells = keepTelling(picture.cells, max, (cell) => cell.outcome === 'answered')
  const omitted = picture.omitted + picture.cells.length - cells.length
  const targetsUsed = [...new Set(cells.map((cell) => cell.target))].sort((a, b) => a - b)
  const portsUsed = [...new Set(cells.map((cell) => cell.port))].sort((a, b) => a - b)
  return {
    picture: 'grid',
    targets: targetsUsed.map((target) => picture.targets[target]),
    ports: portsUsed.map((port) => picture.ports[port]),
    cells: cells.map((cell) => ({ ...cell, target: targetsUsed.indexOf(cell.target), port: portsUsed.indexOf(cell.port) })),
    omitted,
  }
}

const CONCURRENT_POINTS_MIN = 16

/** Evenly thinned to `max` at most; the last one stays. */
function everyNth<T>(items: readonly T[], max: number): T[] {
  const step = Math.ceil(items.length / max)
  return step <= 1 ? [...items] : items.filter((_, i) => i % step === 0 || i === items.length - 1)
}

/** The first `max` items in their order, the telling ones before the others when not all fit. */
function keepTelling<T>(items: readonly T[], max: number, isTelling: (item: T) => boolean): T[] {
  if (items.length <= max) return [...items]
  const kept = new Set([...items.filter(isTelling), ...items.filter((item) => !isTelling(item))].slice(0, max))
  return items.filter((item) => kept.has(item))
}

/** CONVENTIONS.md section 2's severity map; ET rules' words beside it. */
const SEVERITIES: Readonly<Record<Severity, { eve: number; signature: string }>> = {
  critical: { eve: 1, signature: 'Critical' },
  high: { eve: 1, signature: 'Major' },
  medium: { eve: 2, signature: 'Minor' },
  low: { eve: 3, signature: 'Minor' },
  info: { eve: 4, signature: 'Informational' },
}

function eveObject(alert: AlertEvent, envelope: Envelope): object {
  const flow = tellingFlow(alert)
  const source = sourceOf(envelope)
  return {
    timestamp: envelope.timestamp,
    ...(flow === null ? {} : { flow_id: flow.id }),
    ...source,
    event_type: 'alert',
    ...endpoints(alert, flow),
    ...(envelope.host === undefined ? {} : { host: envelope.host }),
    alert: alertObject(alert),
    ...(flow === null ? {} : { flow: flowObject(flow) }),
  }
}

function sourceOf(envelope: Envelope): object {
  return {
    ...(envelope.in_iface === undefined ? {} : { in_iface: envelope.in_iface }),
    ...(envelope.pcap_filename === undefined ? {} : { pcap_filename: envelope.pcap_filename }),
    ...(envelope.in_iface === undefined && envelope.pcap_filename === undefined
      ? {}
      : { pkt_src: envelope.in_iface === undefined ? 'wire/pcap' : 'wire' }),
  }
}

/** What has no address of its own is known by its card: eve's `ether`. */
function cardOf(actor: string): object {
  return isMac(actor) ? { ether: { src_mac: actor } } : { src_ip: actor }
}

/** Actor and first victim; ports, direction and Community ID from the kept flow between them. */
function endpoints(alert: AlertEvent, flow: KeptFlow | null): object {
  const actor = alert.actor === 'many' ? (flow?.addr[0] ?? null) : alert.actor
  const victim = alert.victims.addresses[0] ?? flow?.addr[1] ?? null
  const isBetweenThem = flow !== null && actor !== null && victim !== null && flow.addr.includes(actor) && flow.addr.includes(victim)
  const side = flow !== null && flow.addr[0] === actor ? 0 : 1
  const hasPorts = alert.proto !== ICMP && alert.proto !== ICMPV6
  const address = actor ?? victim
  return {
    ...(actor === null ? {} : cardOf(actor)),
    ...(isBetweenThem && hasPorts ? { src_port: flow.port[side] } : {}),
    ...(victim === null ? {} : { dest_ip: victim }),
    ...(isBetweenThem && hasPorts ? { dest_port: flow.port[1 - side] } : {}),
    proto: protoName(alert.proto),
    ...(address === null || parseAddress(address) === null || alert.proto === PROTO_ARP ? {} : { ip_v: address.includes(':') ? 6 : 4 }),
    ...(isBetweenThem && !hasPorts ? { icmp_type: flow.port[0], icmp_code: flow.port[1] } : {}),
    ...(isBetweenThem ? { direction: side === 0 ? 'to_server' : 'to_client', community_id: flow.communityId } : {}),
  }
}

function alertObject(alert: AlertEvent): object {
  const words = kindWords(alert.kind)
  // Readers of eve sort by this severity; what our own verdict says stays in the context.
  const severity = SEVERITIES[alert.suppressed === undefined ? alert.severity : 'info']
  return {
    action: 'allowed',
    gid: GENERATOR_ID,
    signature_id: words.signatureId,
    rev: words.revision,
    signature: `flowscribe ${alert.title}`,
    category: words.category,
    severity: severity.eve,
    metadata: {
      signature_severity: [severity.signature],
      confidence: [confidence(alert)],
      mitre_tactic_id: [...new Set(alert.attack.map((technique) => technique.tactic))],
      mitre_technique_id: alert.attack.map((technique) => technique.id),
      flowscribe_kind: [alert.kind],
      flowscribe_event: [alert.event],
      ...(alert.suppressed === undefined ? {} : { flowscribe_muted: [alert.suppressed.rule] }),
    },
    context: { flowscribe: alert },
  }
}

const CONFIDENCES = ['Low', 'Medium', 'High']

/** ET rules' three words, on the bounds of our bands, lowered by what the capture misses. */
function confidence({ likelihood, visibility }: AlertEvent): string {
  const step = likelihood >= 0.8 ? 2 : likelihood >= 0.5 ? 1 : 0
  return CONFIDENCES[Math.max(0, step - confidenceSteps(visibility))]
}

function flowObject(flow: KeptFlow): object {
  const [packetsOrig, packetsResp] = flow.packets
  const [bytesOrig, bytesResp] = flow.ipBytes
  const hasPorts = flow.proto !== ICMP && flow.proto !== ICMPV6
  return {
    ...(packetsOrig === null ? {} : { pkts_toserver: packetsOrig }),
    ...(packetsResp === null ? {} : { pkts_toclient: packetsResp }),
    ...(bytesOrig === null ? {} : { bytes_toserver: bytesOrig }),
    ...(bytesResp === null ? {} : { bytes_toclient: bytesResp }),
    start: flow.start,
    end: laterEveTime(flow.start, flow.durationUs),
    src_ip: flow.addr[0],
    dest_ip: flow.addr[1],
    ...(hasPorts ? { src_port: flow.port[0], dest_port: flow.port[1] } : {}),
    alerted: true,
  }
}

/**
 * Reads a line back. @param place what to name in an error: 'alerts.jsonl:12'.
 * @throws AlertLineError naming the place and every fault found (up to twenty).
 */
export function parseAlertLine(text: string, place: string): AlertLine {
  const line = parseJson(text, place)
  if (!isRecord(line)) throw new AlertLineError(`${place}: expected an object, one eve event a line`)
  const context = isRecord(line.alert) && isRecord(line.alert.context) ? line.alert.context.flowscribe : undefined
  if (context === undefined) throw new AlertLineError(`${place}: no alert.context.flowscribe: not an alert of flowscribe's`)
  const faults = [...faultsOf(context, ALERT_SHAPE, 'alert.context.flowscribe'), ...envelopeFaults(line)]
  if (faults.length > 0) throw new AlertLineError(faults.map((fault) => `${place}: ${fault}`).join('\n'))
  return { text, envelope: cleaned(line as unknown as Envelope), alert: context as AlertEvent }
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // Node quotes the text in its message; a damaged line may be long and hold anything.
    const at = /position (\d+)/.exec(error instanceof Error ? error.message : '')
    throw new AlertLineError(`${place}: not JSON${at === null ? ' (cut short?)' : `, from character ${Number(at[1]) + 1} on`}`)
  }
}

function envelopeFaults(line: Readonly<Record<string, unknown>>): string[] {
  const faults = ['in_iface', 'pcap_filename', 'host']
    .filter((key) => line[key] !== undefined && typeof line[key] !== 'string')
    .map((key) => `${key}: expected string`)
  return typeof line.timestamp === 'string' ? faults : ['timestamp: missing', ...faults]
}
