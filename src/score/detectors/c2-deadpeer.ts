/**
 * D10 c2.deadpeer: one client keeps calling a server outside that never answers.
 *
 * In:  a client's connections to one service, nearly all failed. Not: inside servers (an outage is somebody's to mend), also those at
 *      private addresses that the configuration does not name; floods (their starts merge into few), scans (they don't come back to
 *      one port).
 *
 * Programs with an owner stop or are mended; malware calls an address that was taken down for weeks.
 */

import { isPrivate } from '../../base/networks-options.ts'
import type { OptionTable, OptionValues } from '../../base/option.ts'
import type { AttemptSeries } from '../../context/attempts.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import { num } from '../number.ts'
import { isOddPort } from '../ports.ts'
import type { Regularity } from '../regularity.ts'
import { regularityOf } from '../regularity.ts'
import { callsPicture, gapsPicture, infrastructureOf, noveltyDrafts, regularityDraft } from './c2-beacon.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft, TOO_LITTLE_HISTORY } from './detector.ts'
import { historyOf } from './history.ts'

const OPTIONS = {
  attempts_min: {
    kind: 'integer',
    default: 10,
    min: 5,
    max: 10_000,
    unit: 'attempts',
    comment: 'Connections to one service outside, at least half a second apart.',
  },
  failed_share_min: { kind: 'number', default: 0.95, min: 0.5, max: 1, unit: 'ratio', comment: 'Share of them that failed.' },
  hosts_min: { kind: 'integer', default: 4, min: 2, max: 1000, unit: 'hosts', comment: 'As in detectors_c2_beacon.' },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  never_answers: {
    lr: 1,
    group: 'failure',
    basis: 'expert',
    label: 'never answers',
    claim: '{m0} of {m1} connections of {x0} to {x1} failed, over {m2}',
    alt: 'software whose server was retired, or a firewall that blocks it',
    next: 'Find out which process on the actor keeps trying, and what that address was.',
  },
  many_attempts: {
    lr: 0.5,
    group: 'scale',
    basis: 'expert',
    label: 'does not give up',
    claim: '{m0} attempts, where {m1} are enough to notice',
    next: 'Check since when the host has been doing this.',
  },
  odd_port: {
    lr: 0.7,
    group: 'target',
    basis: 'expert',
    label: 'unusual port',
    claim: 'port {m0} is none of the ports that clients usually go to outside',
    next: 'Look up what is known of the address and that port.',
  },
} as const

const MANY_ATTEMPTS_FACTOR = 3
const REGULAR_CHANCE_MAX = 1e-6
/** SCORER.md D10: no success in seven days. */
const WORKED_WITHIN_DAYS = 7
const HOURS_A_DAY = 24

export const C2_DEADPEER = {
  kind: 'c2.deadpeer',
  code: 'D10',
  title: 'Calls to a server that never answers',
  techniques: { fromInside: ['T1008', 'T1571'], fromOutside: ['T1571'], manyVictims: [] },
  inputs: 'outcome and start of each connection by client and service',
  windowUs: 3600e6,
  entryTest: 'attempts ≥ attempts_min to a service outside, failed share ≥ failed_share_min, and no answer of that server in seven days',
  options: OPTIONS,
  priorLog10: -2,
  cap: { limit: 0.95, why: 'nothing was said, so that nothing can show what was meant' },
  severityBase: 1,
  isBackgroundFromOutside: false,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  const series = observed.attempts
  if (series === null || judged.outcome !== 'failed' || judged.isServerInternal || judged.direction === 'in') return null
  if (series.keptCount < options.attempts_min || series.failed < options.failed_share_min * series.total) return null
  if (isPrivate(judged.addr[SERVER]) || hasWorkedLately(look)) return null
  return {
    actor: judged.addr[CLIENT],
    victim: judged.addr[SERVER],
    keyPart: `${judged.addr[SERVER]} ${judged.proto} ${judged.port[SERVER]}`,
    flowsInWindow: series.total,
    firstUs: series.firstUs,
    victims: () => [judged.addr[SERVER]],
    telling: 0,
    assess: () => assess(look, series, options),
  }
}

/** It answered this client within a week, on any port: a server that is down, not one that never was. */
function hasWorkedLately({ judged, context }: Look): boolean {
  const { histories } = context
  const pair = histories.pair(judged.addr[CLIENT], judged.addr[SERVER])
  return pair !== undefined && Math.floor(histories.hour / HOURS_A_DAY) - pair.lastDay <= WORKED_WITHIN_DAYS
}

function assess(look: Look, series: AttemptSeries, options: Options): Assessment {
  const { judged, context } = look
  const port = judged.port[SERVER]
  const sample = {
    n: series.total,
    fromUs: series.firstUs,
    toUs: series.lastUs,
    flowIds: series.kept.slice(0, 10).map((call) => call.flowId),
  }
  const evidence: Draft[] = [
    draft('D10.never_answers', WEIGHTS.never_answers, {
      measured: [num(series.failed, 'count'), num(series.total, 'count'), num(series.lastUs - series.firstUs, 'us')],
      names: [judged.addr[CLIENT], judged.addr[SERVER]],
      sample,
    }),
  ]
  const regularity = regularityOf(series.kept.map((call) => call.atUs))
  if (isRegular(regularity)) evidence.push(regularityDraft('D10.regularity', look, regularity, sample))
  if (series.total >= MANY_ATTEMPTS_FACTOR * options.attempts_min) {
    const measured = [num(series.total, 'count'), num(options.attempts_min, 'count')]
    evidence.push(draft('D10.many_attempts', WEIGHTS.many_attempts, { measured, sample }))
  }
  if (isOddPort(port)) evidence.push(draft('D10.odd_port', WEIGHTS.odd_port, { measured: [num(port, 'port')], sample }))
  const novelty = noveltyDrafts('D10', look, options.hosts_min, sample)
  evidence.push(...novelty.drafts)
  const failing = context.services.failingClients(judged.addr[SERVER], judged.proto, port, judged.startUs)
  return assessment({
    evidence,
    servicePort: port,
    scaleRatio: series.total / options.attempts_min,
    facts: {
      outage: { targets: 1, failingClientsMax: failing, inOutage: failing > 0 ? 1 : 0 },
      prevalence: { users: context.census.networkUsers(judged.addr[SERVER]), hosts: context.census.hosts },
      infrastructure: infrastructureOf(look),
    },
    notEvaluated: [
      ...novelty.notEvaluated,
      ...(historyOf(look) === null
        ? [{ code: 'D10.worked_before', why: `whether it worked in the last seven days: ${TOO_LITTLE_HISTORY}` }]
        : []),
    ],
    pictures: [...(isRegular(regularity) ? [gapsPicture(regularity)] : []), callsPicture(series)],
  })
}

function isRegular(regularity: Regularity | null): regularity is Regularity {
  return regularity !== null && regularity.p <= REGULAR_CHANCE_MAX
}
