/**
 * D14 long.conn: a connection to an outside server stays open for hours. Context for other findings; alone it is nothing.
 *
 * In:  rows of one connection put together. Not: an alert: the cap keeps it below any limit. RITA's steps are 1, 4, 8 and 12 hours.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import { num } from '../number.ts'
import { isOddPort } from '../ports.ts'
import type { Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'

const OPTIONS = {
  lasting_min_s: {
    kind: 'number',
    default: 3600,
    min: 60,
    max: 604_800,
    unit: 's',
    comment: 'How long one connection must have lasted (RITA: one hour is low).',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  lasting: {
    lr: 0.2,
    group: 'timing',
    basis: 'expert',
    label: 'long connection',
    claim: '{x0} kept a connection with {x1} open for {m0}; it carried {m1} out and {m2} in',
    alt: 'a push channel, a VPN, a remote session that nobody closed',
    next: 'Find out which process holds the connection.',
  },
  odd_port: {
    lr: 0.4,
    group: 'target',
    basis: 'expert',
    label: 'unusual port',
    claim: 'port {m0} is none of the ports that clients usually go to outside',
    next: 'Look up what the server offers on that port.',
  },
} as const

export const LONG_CONN = {
  kind: 'long.conn',
  code: 'D14',
  title: 'Long connection',
  techniques: { fromInside: ['T1071'], fromOutside: ['T1071'], manyVictims: [] },
  inputs: 'rows of one connection, cut by the active timeout',
  windowUs: 3600e6,
  entryTest: 'the connection lasted ≥ lasting_min_s',
  options: OPTIONS,
  priorLog10: -2,
  cap: { limit: 0.1, why: 'a long connection alone is no sign of anything' },
  severityBase: 0,
  isBackgroundFromOutside: false,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  const { long } = observed
  if (long === null || judged.isServerInternal || long.lastUs - long.startUs < options.lasting_min_s * 1e6) return null
  return {
    actor: judged.addr[CLIENT],
    victim: judged.addr[SERVER],
    keyPart: `${judged.addr[SERVER]} ${judged.port[SERVER]}`,
    flowsInWindow: long.rows,
    firstUs: long.startUs,
    victims: () => [judged.addr[SERVER]],
    telling: 0,
    assess: () => {
      const sample = { n: long.rows, fromUs: long.startUs, toUs: long.lastUs, flowIds: [judged.flowId] }
      const measured = [num(long.lastUs - long.startUs, 'us'), num(long.clientBytes, 'B'), num(long.serverBytes, 'B')]
      const evidence: Draft[] = [draft('D14.lasting', WEIGHTS.lasting, { measured, names: [...judged.addr], sample })]
      const port = judged.port[SERVER]
      if (isOddPort(port)) evidence.push(draft('D14.odd_port', WEIGHTS.odd_port, { measured: [num(port, 'port')], sample }))
      return assessment({ evidence, servicePort: port, scaleRatio: 0 })
    },
  }
}
