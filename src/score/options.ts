/**
 * Everything about judging that can be configured, by section of the configuration file.
 *
 * Out: SCORE_OPTIONS, which `config.ts` joins with the other stages' tables, and the type of its checked values.
 */

import type { OptionTable, OptionValues } from '../base/option.ts'
import { defaultsOf } from '../base/option.ts'
import { CONTEXT_OPTIONS } from '../context/options.ts'
import type { DetectorSection } from './detectors/table.ts'
import { DETECTORS } from './detectors/table.ts'

const ALERT_OPTIONS = {
  likelihood_min: {
    kind: 'number',
    default: 0.5,
    min: 0.05,
    max: 0.99,
    unit: 'ratio',
    comment: 'An episode becomes an alert from this likelihood on.',
  },
  episode_quiet_s: {
    kind: 'integer',
    default: 1800,
    min: 60,
    max: 86_400,
    unit: 's',
    comment: 'An episode ends after this much silence, or after twice its detector window when that is longer.',
  },
  reopen_s: {
    kind: 'integer',
    default: 86_400,
    min: 0,
    max: 604_800,
    unit: 's',
    comment: 'The same actor doing the same again within this time continues its old alert, under the old id.',
  },
  notifications_per_day: {
    kind: 'integer',
    default: 20,
    min: 0,
    max: 10_000,
    unit: 'alerts',
    comment: 'Alerts a day that may notify someone; the others are in the list and say so.',
  },
  episodes_max: {
    kind: 'integer',
    default: 1024,
    min: 16,
    max: 65_536,
    unit: 'episodes',
    comment: 'Episodes open at once, about 30 kB each. When full, the one quiet for longest is closed.',
  },
} as const satisfies OptionTable

const ROLE_OPTIONS = {
  declared: {
    kind: 'records',
    default: [],
    unit: '',
    comment:
      'Hosts whose job looks like an attack: scanner, inventory, monitoring, admin, backup, router, failover or load_test. Their alerts are not raised, but counted.',
    fields: {
      address: { comment: 'address or network', required: true, kind: 'network' },
      role: { comment: 'scanner, inventory, monitoring, admin, backup, router, failover or load_test', required: true, kind: 'text' },
      owner: { comment: 'who answers for it', required: true, kind: 'text' },
      until: { comment: 'last day on which it holds', required: false, kind: 'date' },
      note: { comment: 'anything', required: false, kind: 'text' },
    },
  },
} as const satisfies OptionTable

type DetectorTables = { readonly [S in DetectorSection]: (typeof DETECTORS)[S]['options'] }

const DETECTOR_OPTIONS = Object.fromEntries(
  Object.entries(DETECTORS).map(([section, detector]) => [section, detector.options]),
) as unknown as DetectorTables

export const SCORE_OPTIONS = {
  context: CONTEXT_OPTIONS,
  ...DETECTOR_OPTIONS,
  alerts: ALERT_OPTIONS,
  roles: ROLE_OPTIONS,
} as const satisfies Readonly<Record<string, OptionTable>>

export type ScoreOptions = { readonly [S in keyof typeof SCORE_OPTIONS]: OptionValues<(typeof SCORE_OPTIONS)[S]> }

/** What holds when nothing is configured. */
export function defaultScoreOptions(): ScoreOptions {
  return Object.fromEntries(Object.entries(SCORE_OPTIONS).map(([section, table]) => [section, defaultsOf(table)])) as ScoreOptions
}
