/** Network behaviour: packet flow, timing, flags and state, protocol; comparison with what is normal here. */
import { ICMP, ICMPV6, TCP } from '../../flow/flow.ts'
import type { AlertEvent, Evidence, KeptFlow, Orientation } from '../../score/evidence.ts'
import { baselineText, byWeight, claimSentence, valuesText } from '../claims.ts'
import type { Facts } from '../facts.ts'
import { portText } from '../facts.ts'
import { blocks, bullets, code, escapeText, table } from '../markdown.ts'
import { connStateText, datagramStateText, historyLegend } from '../tcp-words.ts'
import { bytesText, countText, durationText, exactTimeText, measuredText, NOT_MEASURED, secondText, sentences } from '../words.ts'

export function networkBehaviour(facts: Facts): string {
  if (facts.isArp) return arpBehaviour(facts)
  return blocks([
    '**Packet flow**',
    packetFlow(facts),
    '**Timing**',
    timing(facts),
    '**Flags and state**',
    flagsAndState(facts),
    '**Protocol**',
    protocol(facts),
    '**Comparison with normal**',
    comparison(facts),
  ])
}

/** There are no flows, hence neither sizes nor states: what was said, when, and what that means. */
function arpBehaviour(facts: Facts): string {
  const { alert } = facts
  const said = byWeight(alert.evidence).filter((evidence) => evidence.group !== 'timing')
  return blocks([
    '**Messages**',
    bullets(said.map((evidence) => `${code(evidence.id)}: ${claimSentence(evidence)}`)),
    '**Timing**',
    timing(facts),
    '**Protocol**',
    bullets([
      'ARP finds the network card of an address on the same segment. It knows no proof: whoever answers is believed.',
      'Each message names its sender, so that nothing had to be told about who began.',
    ]),
    '**Comparison with normal**',
    comparison(facts),
  ])
}

function packetFlow({ alert }: Facts): string {
  if (alert.flows.length === 0) return 'No single flow was kept.'
  const rows = alert.flows.map((flow) => [
    code(String(flow.id)),
    `${endpointText(flow, 0)} → ${endpointText(flow, 1)}`,
    `${measuredText(flow.packets[0], countText)} / ${measuredText(flow.packets[1], countText)}`,
    `${measuredText(flow.payloadBytes[0], bytesText)} / ${measuredText(flow.payloadBytes[1], bytesText)}`,
    durationText(flow.durationUs),
    flow.connState === null ? '–' : code(flow.connState),
  ])
  return blocks([
    'The most telling flows, initiator → responder; packets and payload as sent by the initiator / by the responder:',
    table(['Flow', 'Between', 'Packets', 'Payload', 'Lasted', 'State'], rows),
  ])
}

export function endpointText(flow: KeptFlow, side: 0 | 1): string {
  const address = flow.addr[side]
  const host = address === null ? 'host not named' : code(address)
  if (isIcmp(flow.proto)) return host
  return `${host} port ${flow.port[side] ?? NOT_MEASURED}`
}

function isIcmp(proto: number): boolean {
  return proto === ICMP || proto === ICMPV6
}

function timing({ alert, span, extent }: Facts): string {
  const { first, last } = alert.episode
  const starts = alert.flows.map((flow) => `${code(String(flow.id))} began ${escapeText(exactTimeText(flow.start))} UTC`)
  return bullets([
    secondText(first) === secondText(last)
      ? `${extent} within ${span}, in the second ${escapeText(secondText(first))}.`
      : `${extent} from ${escapeText(secondText(first))} to ${escapeText(secondText(last))}: ${span}.`,
    ...(starts.length === 0 ? [] : [`${starts.slice(0, 3).join('; ')}.`]),
    ...byGroup(alert.evidence, 'timing'),
  ])
}

function byGroup(evidence: readonly Evidence[], group: Evidence['group']): string[] {
  return evidence.filter((e) => e.group === group).map((e) => `${code(e.id)}: ${claimSentence(e)}`)
}

function flagsAndState({ alert }: Facts): string {
  const seen = new Map<string, string[]>()
  for (const flow of alert.flows) {
    const state = flow.connState ?? ''
    seen.set(state, [...(seen.get(state) ?? []), flow.history ?? ''])
  }
  const isTcp = alert.flows.some((flow) => flow.proto === TCP)
  const lines = [...seen].map(([state, histories]) => stateLine(state, histories, isTcp))
  const letters = historyLegend([...seen.values()].flat())
  return bullets([
    ...lines,
    ...(isTcp && letters !== ''
      ? [sentences('In a history each letter is an event, upper case by the initiator, lower by the responder:', `${letters}.`)]
      : []),
    `Who is initiator: ${isIcmp(alert.proto) ? icmpOrientationText(alert.orientation) : orientationText(alert.orientation)}.`,
  ])
}

export function stateLine(state: string, histories: readonly string[], isTcp = true): string {
  const distinct = [...new Set(histories)].filter((history) => history !== '').map(code)
  const shown = distinct.length === 0 ? '' : `; history ${distinct.join(', ')}`
  if (state === '') return isTcp ? `The connection's state was not measured${shown}.` : 'There is no connection whose state could be told.'
  const meaning = isTcp ? connStateText(state) : datagramStateText(state)
  return `${code(state)}${meaning === null ? '' : `, ${meaning}`}${shown}.`
}

const ORIENTATIONS: Readonly<Record<Orientation['how'], string>> = {
  syn: 'the SYN was seen, which settles it',
  synack: 'the SYN with ACK was seen, which settles it',
  table: 'the other side is known to serve this port',
  port: 'told by the registered port; no opening was seen',
  guess: 'a guess from the lower port; no opening was seen',
  sender: 'each message names its sender',
}

const HALVES: Readonly<Record<Orientation['halves'], string>> = {
  both: 'both directions were seen',
  orig: "only the initiator's packets were seen",
  resp: "only the responder's packets were seen",
}

export function orientationText(orientation: Orientation): string {
  return `${ORIENTATIONS[orientation.how]}; ${HALVES[orientation.halves]}`
}

/** ICMP has no ports to tell by; requests and replies are of different types. */
function icmpOrientationText({ halves }: Orientation): string {
  return `the side that asked first; ${HALVES[halves]}`
}

function protocol({ alert, proto, port }: Facts): string {
  if (isIcmp(alert.proto)) return bullets([`${proto}, which has no ports. What the messages hold is not read.`])
  const about = port === '' ? `${proto}, over more than one port` : `${proto}, ${port}`
  const ports = [...new Set(alert.flows.map((flow) => flow.port[1]))].filter((p) => p !== null).slice(0, 4)
  const named = alert.servicePort === null ? ports.map((p) => portText(alert.proto, p)) : []
  return bullets([
    `${about}. A port names a usual service; what was spoken is not read.`,
    ...(named.length === 0 ? [] : [`Of the telling flows: ${named.join(', ')}.`]),
  ])
}

function comparison({ alert }: Facts): string {
  const compared = byWeight(alert.evidence).filter((e) => e.baseline !== undefined && e.baseline.scope !== 'none')
  const rows = compared.map((e) => [code(e.id), valuesText(e) === '' ? NOT_MEASURED : valuesText(e), baselineText(e)])
  return blocks([baselineWords(alert), rows.length === 0 ? '' : table(['Evidence', 'Here', 'Normal'], rows)])
}

const BASELINES = {
  none: sentences(
    'There is **no baseline**: the sensor had not watched this network before.',
    'The indicators rest on fixed tests, not on comparison with this host, this service or this network.',
  ),
  learning: sentences(
    'The baseline is still **learning**: comparisons with this network are not used yet.',
    'The indicators rest on fixed tests, not on comparison with this host, this service or this network.',
  ),
  partial: 'The baseline is **partial**: it has not seen a whole day, so that comparisons count half.',
  ready: 'The baseline is **ready**.',
  drifting: 'The baseline is **drifting**: the network has become another mix, and the baseline is following.',
} as const

function baselineWords({ baselineState, baseline }: AlertEvent): string {
  const state = BASELINES[baselineState]
  if (baseline === undefined) return state
  const { watched, remaining, votes, hosts } = baseline
  const seen = `It has watched for ${escapeText(watched.text)} and learnt from ${escapeText(votes.text)} votes (one a host, minute and service)`
  const rest = remaining === null ? '.' : `; ready in ${escapeText(remaining.text)}.`
  return `${state} ${seen}; ${escapeText(hosts.text)} inside hosts have a history${rest}`
}
