/**
 * What the sensor writes.
 *
 * Out: the option tables of the configuration's sections `output`, `baseline` and `log`.
 */
import type { OptionTable } from '../base/option.ts'

export const OUTPUT_OPTIONS = {
  folder: {
    kind: 'text',
    default: '/var/log/flowscribe',
    unit: '',
    comment: 'Where a live run writes alerts.jsonl and reports/, appending. The option -l comes before it; replay has its own default.',
  },
  reports: { kind: 'flag', default: true, unit: '', comment: 'Whether each alert gets its Markdown report beside alerts.jsonl.' },
} as const satisfies OptionTable

export const BASELINE_OPTIONS = {
  folder: {
    kind: 'text',
    default: '/var/lib/flowscribe',
    unit: '',
    comment:
      "Where a live run keeps what it has learnt across restarts (systemd's StateDirectory). Empty: nowhere. Replay uses a baseline only when told, with --baseline.",
  },
} as const satisfies OptionTable

export const LOG_OPTIONS = {
  level: {
    kind: 'text',
    default: 'info',
    oneOf: ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
    unit: '',
    comment: "The least grave message that enters the sensor's own log. The options -v and -q of the command line come before it.",
  },
} as const satisfies OptionTable
