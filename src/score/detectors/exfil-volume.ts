/**
 * D11 exfil.volume: an inside host sends much more to an outside server than it gets back.
 *
 * In:  payload between the two, last hour; who else uses the server; what the client fetched inside within the day. Not: downloads: only what the client sent counts, and where the
 *      server sent a comparable amount the test fails. With a day of the host in the baseline its own hours count, too; without, a
 *      floor and the shape decide alone, and the likelihood is capped.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import type { HostHistory } from '../../context/host-history.ts'
import type { Transfers } from '../../context/transfers.ts'
import type { PictureData } from '../evidence.ts'
import { num } from '../number.ts'
import { isOddPort } from '../ports.ts'
import type { TechniqueId } from '../techniques.ts'
import { infrastructureOf, noveltyDrafts } from './c2-beacon.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft, NO_BASELINE, TOO_LITTLE_HISTORY } from './detector.ts'
import { historyOf, newPairDrafts } from './history.ts'

const OPTIONS = {
  upload_bytes_min: {
    kind: 'number',
    default: 50e6,
    min: 1e6,
    max: 1e13,
    unit: 'B',
    comment: 'Payload that the client sent to one service outside within an hour (Slips: 100 MB).',
  },
  push_ratio_min: {
    kind: 'number',
    default: 0.4,
    min: 0,
    max: 1,
    unit: 'ratio',
    comment:
      'Producer-consumer ratio (sent - received) / (sent + received): 1 is pure upload, 0.4 mail, 0 balanced, -1 download (Bullard).',
  },
  hosts_min: { kind: 'integer', default: 4, min: 2, max: 1000, unit: 'hosts', comment: 'As in detectors_c2_beacon.' },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  upload: {
    lr: 1.3,
    group: 'volume',
    basis: 'expert',
    label: 'large upload',
    claim: '{x0} sent {m0} to {x1} within {m1} and received {m2}',
    alt: 'a backup, a cloud store or a release that somebody published',
    next: 'Ask the owner of the host what was sent, and look up who owns the server.',
  },
  one_way: {
    lr: 0.5,
    group: 'pattern',
    basis: 'expert',
    label: 'all one way',
    claim: 'the producer-consumer ratio is {m0}, where a pure upload has the highest and a download the lowest value',
    next: 'Compare with what this host sends on other days.',
  },
  own_history: {
    lr: 0,
    group: 'scale',
    basis: 'test',
    label: 'more than ever',
    claim: 'of its hours in the baseline ({m0}) one in {m1} had as large an upload in all; nineteen in twenty stayed below {m2}',
    alt: 'the first backup of a new job',
    next: 'Look what else it sent in the busiest of its usual hours.',
  },
  new_server: {
    lr: 0.5,
    group: 'novelty',
    basis: 'expert',
    label: 'a server it never used',
    claim: 'in the {m0} days that this host has been known it never spoke with {x0} before today',
    alt: 'a new provider',
    next: 'Look up who owns the server and since when.',
  },
  off_hours: {
    lr: 0.3,
    group: 'timing',
    basis: 'expert',
    label: 'at an unusual hour',
    claim: 'it was active in this hour of the day on {m0} of its days',
    alt: 'night work',
    next: 'Ask who used the host at that time.',
  },
  staged: {
    lr: 0.8,
    group: 'target',
    basis: 'expert',
    label: 'gathered before',
    claim: 'within the day before it fetched {m0} from {m1} inside file servers, at least as much as it then sent',
    alt: 'a backup server, whose job is to fetch and to send',
    next: 'Compare what was fetched with what this host is meant to handle.',
  },
  transfer_port: {
    lr: 0.6,
    group: 'target',
    basis: 'expert',
    label: 'copying service or odd port',
    claim: 'it went to port {m0}, which is no web or mail upload',
    alt: 'an agreed copy job',
    next: 'Look for the program that copied.',
  },
} as const

const ONE_WAY_MIN = 0.9
/** SCORER.md D11: beyond its own p99.5, and four times its p95. */
const OWN_RARE_SHARE = 0.995
const OWN_USUAL_SHARE = 0.95
const OWN_FACTOR = 4
const RARITY_LR_MAX = 1.2
const OFF_HOURS_SHARE_MAX = 0.05
const COPY_PORTS: ReadonlySet<number> = new Set([20, 21, 22, 69, 873, 989, 990, 2049])
const TECHNIQUES_OUT: readonly TechniqueId[] = ['T1041', 'T1048']

export const EXFIL_VOLUME = {
  kind: 'exfil.volume',
  code: 'D11',
  title: 'Large upload to one outside server',
  techniques: { fromInside: TECHNIQUES_OUT, fromOutside: TECHNIQUES_OUT, manyVictims: [] },
  inputs: 'payload each way between an inside client and an outside service',
  windowUs: 3600e6,
  entryTest:
    'sent ≥ upload_bytes_min within an hour, ratio ≥ push_ratio_min, from inside to outside; with a baseline also > own p99.5 and > 4 × own p95',
  options: OPTIONS,
  priorLog10: -2.5,
  cap: { limit: 0.95, why: 'what was sent was not read' },
  severityBase: 2,
  isBackgroundFromOutside: false,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  const { transfers } = observed
  // Orientation by a guess could take a download for an upload.
  if (transfers === null || judged.direction !== 'out' || judged.isToGroup || !judged.isOrientationSure) return null
  const [sent, received] = transfers.sums()
  if (sent < options.upload_bytes_min || (sent - received) / (sent + received) < options.push_ratio_min) return null
  const history = historyOf(look)
  if (history !== null && !isBeyondUsual(history, sent)) return null
  return {
    actor: judged.addr[CLIENT],
    victim: judged.addr[SERVER],
    keyPart: `${judged.addr[SERVER]} ${judged.port[SERVER]}`,
    flowsInWindow: transfers.rows,
    firstUs: transfers.firstUs,
    victims: () => [judged.addr[SERVER]],
    telling: 0,
    assess: () => assess(look, transfers, options),
  }
}

function isBeyondUsual(history: HostHistory, sent: number): boolean {
  return sent > history.uploadQuantile(OWN_RARE_SHARE) && sent > OWN_FACTOR * history.uploadQuantile(OWN_USUAL_SHARE)
}

/** The upload beside what the host itself usually sends. */
function ownDrafts(history: HostHistory, sent: number, hour: number, sample: Draft['sample']): Draft[] {
  const share = history.uploadShareAbove(sent)
  const p95 = history.uploadQuantile(OWN_USUAL_SHARE)
  const measured = [num(Math.round(history.hours), 'count'), num(Math.round(1 / share), 'count'), num(Math.round(p95), 'B')]
  const lr = Math.min(RARITY_LR_MAX, Math.log10(1 / share) / 3)
  const baseline = {
    scope: 'this host' as const,
    n: Math.round(history.hours),
    median: num(Math.round(history.uploadQuantile(0.5)), 'B'),
    p95: num(Math.round(p95), 'B'),
  }
  const drafts: Draft[] = [{ ...draft('D11.own_history', WEIGHTS.own_history, { measured, sample, lr }), baseline }]
  const active = history.activeShare(hour)
  if (active !== null && active <= OFF_HOURS_SHARE_MAX) {
    drafts.push(draft('D11.off_hours', WEIGHTS.off_hours, { measured: [num(active * 100, 'percent')], sample }))
  }
  return drafts
}

function assess(look: Look, transfers: Transfers, options: Options): Assessment {
  const { judged, context } = look
  const [sent, received] = transfers.sums()
  const port = judged.port[SERVER]
  const ratio = (sent - received) / (sent + received)
  const sample = { n: transfers.rows, fromUs: transfers.firstUs, toUs: transfers.lastUs, flowIds: [judged.flowId] }
  const evidence: Draft[] = [
    draft('D11.upload', WEIGHTS.upload, {
      measured: [num(sent, 'B'), num(transfers.lastUs - transfers.firstUs, 'us'), num(received, 'B')],
      names: [judged.addr[CLIENT], judged.addr[SERVER]],
      sample,
    }),
  ]
  if (ratio >= ONE_WAY_MIN) evidence.push(draft('D11.one_way', WEIGHTS.one_way, { measured: [num(ratio, 'ratio')], sample }))
  if (COPY_PORTS.has(port) || isOddPort(port)) {
    evidence.push(draft('D11.transfer_port', WEIGHTS.transfer_port, { measured: [num(port, 'port')], sample }))
  }
  const pulls = context.pullsOf(judged.addr[CLIENT])
  const pulled = pulls?.bytes(judged.lastUs) ?? 0
  if (pulls !== null && pulled >= sent) {
    evidence.push(draft('D11.staged', WEIGHTS.staged, { measured: [num(pulled, 'B'), num(pulls.servers.size, 'count')], sample }))
  }
  const novelty = noveltyDrafts('D11', look, options.hosts_min, sample)
  evidence.push(...novelty.drafts)
  const history = historyOf(look)
  if (history !== null) evidence.push(...ownDrafts(history, sent, context.histories.hour, sample))
  const isNew = newPairDrafts('D11.new_server', WEIGHTS.new_server, look, sample)
  evidence.push(...isNew.drafts)
  const seconds = Math.max(1, (judged.lastUs - judged.startUs) / 1e6)
  const [clientPackets, serverPackets] = judged.packets.map((packets) => packets ?? 0)
  return assessment({
    evidence,
    servicePort: port,
    scaleRatio: sent / options.upload_bytes_min,
    facts: {
      prevalence: { users: context.census.networkUsers(judged.addr[SERVER]), hosts: context.census.hosts },
      infrastructure: infrastructureOf(look),
      stream: {
        proto: judged.proto,
        clientPps: clientPackets / seconds,
        serverPps: serverPackets / seconds,
        meanBytes: clientPackets === 0 ? 0 : (judged.payloadBytes[CLIENT] ?? 0) / clientPackets,
      },
      transfer: { clientBytes: sent, serverBytes: received, users: context.census.networkUsers(judged.addr[SERVER]) },
    },
    notEvaluated: [
      ...novelty.notEvaluated,
      ...isNew.notEvaluated,
      ...(history === null ? [{ code: 'D11.history', why: `what this host sends on other days: ${TOO_LITTLE_HISTORY}` }] : []),
    ],
    pictures: [uploadsPicture(transfers, options.upload_bytes_min)],
    caps: history === null ? [NO_BASELINE] : [],
  })
}

function uploadsPicture(transfers: Transfers, floorBytes: number): PictureData {
  const [sentBytes, receivedBytes] = transfers.sums()
  const slots = transfers.slots().map(([sent, received]) => ({ sentBytes: sent, receivedBytes: received }))
  return { picture: 'uploads', sentBytes, receivedBytes, floorBytes, slots, usual: null }
}
