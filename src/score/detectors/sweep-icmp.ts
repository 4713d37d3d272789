/**
 * D4 sweep.icmp: one host pings addresses to learn which are in use.
 *
 * In:  distinct echo targets of one host and which of them answered, last five to ten minutes.
 * Not: monitoring (nearly all its targets answer), pings of one host, ARP sweeps (`sweep.arp` is apart).
 *
 * Slips speaks from five targets on; a list that a person checks after an outage is longer. So a short sweep must also miss or ask
 * addresses that no host has (network, broadcast).
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import type { EchoTargets } from '../../context/echo-targets.ts'
import { num } from '../number.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'
import { SWEEP_WEIGHTS, scaleDrafts, sweepGrid } from './sweeps.ts'

const OPTIONS = {
  targets_min: {
    kind: 'integer',
    default: 20,
    min: 5,
    max: 65_536,
    unit: 'addresses',
    comment: 'Distinct echo targets within five to ten minutes.',
  },
  answered_share_max: {
    kind: 'number',
    default: 0.5,
    min: 0,
    max: 1,
    unit: 'ratio',
    comment: 'Share of them that answered, at most. Monitoring is answered by more than nine in ten.',
  },
  short_targets_min: {
    kind: 'integer',
    default: 10,
    min: 5,
    max: 65_536,
    unit: 'addresses',
    comment: 'As targets_min, when addresses that no host has were asked as well, or within ten seconds.',
  },
  short_answered_share_max: { kind: 'number', default: 0.75, min: 0, max: 1, unit: 'ratio', comment: 'As answered_share_max, for those.' },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  many_targets: {
    lr: 1.6,
    group: 'pattern',
    basis: 'expert',
    label: 'many addresses pinged',
    claim: '{x0} pinged {m0} addresses within {m1}; {m2} of them answered',
    alt: 'monitoring or an inventory that starts up, or a person looking for a device',
    next: 'Ask whether this host is meant to look for others.',
  },
  unanswered: {
    lr: 0.6,
    group: 'failure',
    basis: 'expert',
    label: 'addresses not in use',
    claim: '{m0} of {m1} addresses did not answer',
    alt: 'hosts that are switched off or do not answer pings',
    next: 'Compare the targets with the address plan.',
  },
  group_targets: {
    lr: 0.6,
    group: 'target',
    basis: 'expert',
    label: 'addresses no host has',
    claim: '{m0} requests went to network or broadcast addresses, which a list of hosts does not hold',
    next: 'Look for the same actor opening connections to those that answered.',
  },
  ...SWEEP_WEIGHTS,
} as const

const SHORT_US = 10e6

export const SWEEP_ICMP = {
  kind: 'sweep.icmp',
  code: 'D4',
  title: 'Search for hosts by ping',
  techniques: { fromInside: ['T1018'], fromOutside: ['T1595.001'], manyVictims: [] },
  inputs: 'echo requests and replies by host',
  windowUs: 5 * 60e6,
  entryTest: 'targets ≥ targets_min and answered share ≤ answered_share_max, or the short forms of both',
  options: OPTIONS,
  priorLog10: -2,
  cap: { limit: 0.95, why: 'a ping alone harms nobody' },
  severityBase: 1,
  isBackgroundFromOutside: true,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  const targets = observed.echoTargets
  if (targets === null) return null
  const asked = targets.asked.count()
  if (asked < options.short_targets_min) return null
  const share = targets.answered.count() / asked
  const isLong = asked >= options.targets_min && share <= options.answered_share_max
  const isShort = share <= options.short_answered_share_max && (targets.groupTargets > 0 || targets.asked.spanUs() <= SHORT_US)
  if (!isLong && !isShort) return null
  return {
    actor: judged.addr[CLIENT],
    victim: judged.addr[SERVER],
    keyPart: '',
    flowsInWindow: asked,
    firstUs: targets.asked.firstUs(),
    victims: () => targets.asked.keys(),
    telling: 0,
    assess: () => assess(look, targets, options),
  }
}

function assess({ judged }: Look, targets: EchoTargets, options: Options): Assessment {
  const asked = targets.asked.count()
  const answered = targets.answered.count()
  const spanUs = targets.asked.spanUs()
  const sample = { n: asked, fromUs: targets.asked.firstUs(), toUs: targets.asked.lastUs(), flowIds: [judged.flowId] }
  const names = [judged.addr[CLIENT]]
  const evidence: Draft[] = [
    draft('D4.many_targets', WEIGHTS.many_targets, {
      measured: [num(asked, 'count'), num(spanUs, 'us'), num(answered, 'count')],
      names,
      sample,
    }),
    draft('D4.unanswered', WEIGHTS.unanswered, { measured: [num(asked - answered, 'count'), num(asked, 'count')], sample }),
  ]
  if (targets.groupTargets > 0) {
    evidence.push(draft('D4.group_targets', WEIGHTS.group_targets, { measured: [num(targets.groupTargets, 'count')], sample }))
  }
  evidence.push(...scaleDrafts('D4', targets.asked, options.targets_min, sample))
  return assessment({
    evidence,
    servicePort: null,
    scaleRatio: asked / options.targets_min,
    answeredServers: answered,
    pictures: [sweepGrid(targets.asked, (target) => targets.answered.has(target))],
  })
}
