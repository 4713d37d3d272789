/**
 * D3 scan.background: what the Internet sends to every exposed network, once a day and prefix, for information.
 *
 * In:  probes from outside that nothing inside answered, by protected prefix and UTC day; sources of earlier days.
 * Not: a judgement of single sources: those that get answers are D1's, D2's and D8's.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import type { BackgroundDay } from '../../context/background.ts'
import { SERVER } from '../../context/contact.ts'
import { num } from '../number.ts'
import { medianOf } from '../regularity.ts'
import type { Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'

const OPTIONS = {
  sources_min: {
    kind: 'integer',
    default: 50,
    min: 5,
    max: 1_000_000,
    unit: 'sources',
    comment: 'Distinct outside sources of unanswered probes to one protected prefix within a day. An exposed host draws about 1,500.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  noise: {
    lr: 2,
    group: 'pattern',
    basis: 'expert',
    label: 'unanswered probes',
    claim: '{m0} outside sources sent {m1} probes to {m2} addresses of {x0}; nothing answered them. The commonest port was {m3}',
    alt: 'the usual noise of the Internet',
    next: 'Nothing needs doing. Compare with other days when a port is in the news.',
  },
  more_than_usual: {
    lr: 0.3,
    group: 'novelty',
    basis: 'test',
    label: 'three times as many as usual',
    claim: '{m0} sources, where the middle one of {m1} earlier days had {m2}',
    alt: 'a hole that became known, for which everybody looks',
    next: 'Look which port grew, and whether that service is reachable from outside.',
  },
  many_sources: {
    lr: 0.5,
    group: 'scale',
    basis: 'expert',
    label: 'very many sources',
    claim: '{m0} sources, where {m1} are enough for a note',
    next: 'Check that the firewall drops what nobody needs.',
  },
} as const

const MANY_FACTOR = 10
/** SCORER.md D3: three times its own median. */
const USUAL_FACTOR = 3
const USUAL_DAYS_MIN = 3

export const SCAN_BACKGROUND = {
  kind: 'scan.background',
  code: 'D3',
  title: 'Background scanning of the day',
  techniques: { fromInside: ['T1595.001'], fromOutside: ['T1595.001'], manyVictims: [] },
  inputs: 'failed contacts from outside, by protected prefix and day',
  windowUs: 12 * 3600e6,
  entryTest: 'distinct sources ≥ sources_min',
  options: OPTIONS,
  priorLog10: -1,
  cap: { limit: 0.95, why: 'a roll-up names no one' },
  severityBase: 0,
  isBackgroundFromOutside: true,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  const day = observed.background
  if (day === null || day.sources.count() < options.sources_min) return null
  return {
    actor: 'many',
    victim: judged.addr[SERVER],
    keyPart: `${day.prefix} ${day.day}`,
    flowsInWindow: day.probes,
    firstUs: day.firstUs,
    victims: () => day.targets.keys(),
    telling: 0,
    assess: () => assess(judged.flowId, day, look.context.noiseBefore(day), options),
  }
}

function assess(flowId: number, day: BackgroundDay, earlier: readonly number[], options: Options) {
  const sources = day.sources.count()
  const [port] = [...day.ports].reduce((a, b) => (b[1] > a[1] ? b : a))
  const sample = { n: day.probes, fromUs: day.firstUs, toUs: day.lastUs, flowIds: [flowId] }
  const measured = [num(sources, 'count'), num(day.probes, 'count'), num(day.targets.count(), 'count'), num(port, 'port')]
  const evidence: Draft[] = [draft('D3.noise', WEIGHTS.noise, { measured, names: [day.prefix], sample })]
  if (sources >= MANY_FACTOR * options.sources_min) {
    evidence.push(
      draft('D3.many_sources', WEIGHTS.many_sources, { measured: [num(sources, 'count'), num(options.sources_min, 'count')], sample }),
    )
  }
  const usual = earlier.length < USUAL_DAYS_MIN ? null : medianOf(earlier)
  const isUnusual = usual !== null && sources >= USUAL_FACTOR * usual
  if (isUnusual) {
    const measured = [num(sources, 'count'), num(earlier.length, 'count'), num(Math.round(usual), 'count')]
    evidence.push(draft('D3.more_than_usual', WEIGHTS.more_than_usual, { measured, sample }))
  }
  return assessment({
    evidence,
    servicePort: null,
    scaleRatio: 0,
    answeredServers: 0,
    ...(isUnusual ? { atLeastLow: 'three times as many sources as on other days' } : {}),
    notEvaluated:
      usual === null
        ? [{ code: 'D3.median', why: 'whether this is more than on other days: the baseline holds less than three of them' }]
        : [],
  })
}
