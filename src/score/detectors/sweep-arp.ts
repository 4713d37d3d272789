/**
 * D4 sweep.arp: one host asks by ARP for address after address to learn which are in use.
 *
 * In:  distinct addresses asked for by one card, and which of them answered it, last five to ten minutes.
 * Not: a router that looks for whom somebody knocks at (benign explanation B13), the many hosts of a morning that each ask for a few.
 *
 * Requests go to all, answers to the asker alone: where no answer to anybody's question was seen, silence is a gap and is said.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import type { Station } from '../../context/arp-station.ts'
import type { ArpTable } from '../../context/arp-table.ts'
import { num } from '../number.ts'
import type { ArpDetector, ArpLook, Assessment, Draft, Finding } from './detector.ts'
import { assessment, draft } from './detector.ts'
import { SWEEP_WEIGHTS, scaleDrafts, sweepGrid } from './sweeps.ts'

const OPTIONS = {
  targets_min: {
    kind: 'integer',
    default: 20,
    min: 5,
    max: 65_536,
    unit: 'addresses',
    comment: 'Distinct addresses asked for by ARP within five to ten minutes.',
  },
  answered_share_max: {
    kind: 'number',
    default: 0.5,
    min: 0,
    max: 1,
    unit: 'ratio',
    comment: 'Share of them that answered, at most. A server that knows its clients is answered by most.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  many_targets: {
    lr: 1.6,
    group: 'pattern',
    basis: 'expert',
    label: 'many addresses asked for',
    claim: '{x0} asked by ARP for {m0} addresses within {m1}; {m2} of them answered',
    alt: 'an inventory that starts up, or a person looking for a device',
    next: 'Ask whether this host is meant to look for others.',
  },
  unanswered: {
    lr: 0.6,
    group: 'failure',
    basis: 'expert',
    label: 'addresses not in use',
    claim: '{m0} of {m1} addresses did not answer',
    alt: 'hosts that are switched off',
    next: 'Compare the targets with the address plan.',
  },
  ...SWEEP_WEIGHTS,
} as const

const NO_ANSWERS = {
  code: 'D4a.answers',
  why: 'whether addresses answered: no answer to anybody was seen, as on a port that only gets broadcasts',
}

export const SWEEP_ARP = {
  kind: 'sweep.arp',
  code: 'D4a',
  title: 'Search for hosts by ARP',
  techniques: { fromInside: ['T1018'], fromOutside: ['T1018'], manyVictims: [] },
  inputs: 'ARP requests and replies by network card',
  windowUs: 5 * 60e6,
  entryTest: 'targets ≥ targets_min and answered share ≤ answered_share_max',
  options: OPTIONS,
  priorLog10: -2,
  cap: { limit: 0.95, why: 'a question alone harms nobody' },
  severityBase: 1,
  isBackgroundFromOutside: false,
  weights: WEIGHTS,
  detectArp,
} as const satisfies ArpDetector<typeof OPTIONS>

function detectArp({ station, message, arp }: ArpLook, options: Options): Finding | null {
  const { asked } = station
  if (asked === null || (message?.how !== 'question' && message?.how !== 'probe')) return null
  const count = asked.count()
  if (count < options.targets_min) return null
  const answered = station.answered?.count() ?? 0
  if (answered / count > options.answered_share_max) return null
  return {
    actor: station.name(),
    victim: message.target,
    keyPart: '',
    flowsInWindow: count,
    firstUs: asked.firstUs(),
    victims: () => asked.keys(),
    telling: 0,
    assess: () => assess(station, asked, arp, options),
  }
}

function assess(station: Station, asked: NonNullable<Station['asked']>, arp: ArpTable, options: Options): Assessment {
  const answered = station.answered?.count() ?? 0
  const count = asked.count()
  const spanUs = asked.spanUs()
  const sample = { n: count, fromUs: asked.firstUs(), toUs: asked.lastUs(), flowIds: [] }
  const names = [station.name()]
  const evidence: Draft[] = [
    draft('D4a.many_targets', WEIGHTS.many_targets, {
      measured: [num(count, 'count'), num(spanUs, 'us'), num(answered, 'count')],
      names,
      sample,
    }),
  ]
  if (arp.answersSeen > 0) {
    evidence.push(draft('D4a.unanswered', WEIGHTS.unanswered, { measured: [num(count - answered, 'count'), num(count, 'count')], sample }))
  }
  evidence.push(...scaleDrafts('D4a', asked, options.targets_min, sample))
  return assessment({
    evidence,
    servicePort: null,
    // A whole subnet is what tools ask for by default: no sign of scale for severity.
    scaleRatio: 1,
    answeredServers: answered,
    facts: { router: { foreignSources: station.foreignSources } },
    notEvaluated: arp.answersSeen > 0 ? [] : [NO_ANSWERS],
    pictures: [sweepGrid(asked, (target) => station.answered?.has(target) === true)],
  })
}
