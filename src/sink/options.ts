/**
 * What the sensor writes, forwards and shows.
 *
 * Out: the option tables of the configuration's sections `output`, `baseline`, `syslog`, `metrics` and `log`.
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
  plain_reports_max: {
    kind: 'integer',
    default: 1000,
    min: 1,
    max: 1_000_000,
    unit: 'reports',
    comment: 'With --report-all: flows without an alert that get a report, the first ones; the others are counted.',
  },
  reports_max: {
    kind: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: '',
    comment:
      "Reports that a live run keeps, each with what belongs to it; the oldest go first, others' files are never touched. Replay keeps all of its own.",
  },
  reports_age_d: {
    kind: 'number',
    default: 90,
    min: 0.01,
    max: 3650,
    unit: 'd',
    comment: 'A live run removes reports that were last written so long ago.',
  },
  reports_MB: {
    kind: 'number',
    default: 1000,
    min: 0.1,
    max: 10_000_000,
    unit: 'MB',
    comment: 'Room for all reports of a live run together, pictures and packets included; the oldest go first.',
  },
  slices: {
    kind: 'flag',
    default: true,
    unit: '',
    comment:
      "Whether the packets of an alert's telling flows lie beside its report, as .pcap with a .pcap.json that counts them. They hold what people sent: personal data, readable by owner and group only. They go with their report.",
  },
  slices_max: {
    kind: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: '',
    comment: 'Slices that a replay cuts, the first ones; the others are counted. A live run is bounded by reports_max and reports_MB.',
  },
  slice_packets_max: { kind: 'integer', default: 10_000, min: 1, max: 10_000_000, unit: 'packets', comment: 'The most in one slice.' },
  slice_MB: {
    kind: 'number',
    default: 1,
    min: 0.01,
    max: 1000,
    unit: 'MB',
    comment: 'The largest slice. Packets and octets are shared fairly by the telling flows, each from its beginning.',
  },
  slice_snap_B: {
    kind: 'integer',
    default: 0,
    min: 0,
    max: 262_144,
    unit: 'B',
    comment: 'Octets kept of each frame in a slice; 0 keeps all that was captured. 128 keeps headers and next to nothing of what was said.',
  },
  queue_MB: {
    kind: 'number',
    default: 16,
    min: 0.1,
    max: 1000,
    unit: 'MB',
    comment:
      'Memory for alert lines that wait for a disk that is full, slow or broken, and as much again for reports. What does not fit is lost and counted.',
  },
} as const satisfies OptionTable

export const MUTES_OPTIONS = {
  file: {
    kind: 'text',
    default: '/etc/flowscribe/mutes.yaml',
    unit: '',
    comment:
      'Rules that keep alerts of a live run from notifying (flowscribe mute writes them); no file, no rules. Read again at SIGHUP. Replay takes rules only from its option --mutes.',
  },
  reports: { kind: 'flag', default: false, unit: '', comment: 'Whether muted alerts get reports, too.' },
  forward: {
    kind: 'flag',
    default: false,
    unit: '',
    comment: 'Whether muted alerts go to the syslog server, too; with severity informational.',
  },
} as const satisfies OptionTable

/** RFC 5424, section 6.2.1: a facility's number is its place. */
export const FACILITIES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'ntp',
  'audit',
  'alert',
  'clock',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const

export const SYSLOG_OPTIONS = {
  target: {
    kind: 'endpoint',
    default: '',
    unit: '',
    comment: 'A syslog server that gets each alert event of a live run as a line of RFC 5424; the usual port is 514. Empty: none.',
  },
  transport: {
    kind: 'text',
    default: 'tcp',
    oneOf: ['tcp', 'udp'],
    unit: '',
    comment:
      'TCP counts octets (RFC 6587) and holds a message back until the server has read it: a restart of the server loses none, and may repeat some. UDP sends at most 2048 octets and cannot know what arrives.',
  },
  facility: { kind: 'text', default: 'local5', oneOf: FACILITIES, unit: '', comment: 'Local5 is what Suricata takes, too.' },
  message: {
    kind: 'text',
    default: 'text',
    oneOf: ['text', 'json', 'cee'],
    unit: '',
    comment:
      'What follows the structured data: one sentence; the line of alerts.jsonl, up to 64 KiB; or that line after @cee:, by which rsyslog knows JSON. Over UDP a line that does not fit becomes the sentence.',
  },
  enterprise_number: {
    kind: 'integer',
    default: 32_473,
    min: 1,
    max: 4_294_967_295,
    unit: '',
    comment:
      'Private Enterprise Number in the name of the structured data, flowscribe@32473. The default is the one for documentation (RFC 5612): put your own there.',
  },
  host: { kind: 'text', default: '', unit: '', comment: "The sensor's name in syslog lines; empty takes the machine's." },
  queue_messages: {
    kind: 'integer',
    default: 2000,
    min: 1,
    max: 100_000,
    unit: 'messages',
    comment: 'Messages held while the server does not answer, in at most 16 MB. What does not fit is lost and counted.',
  },
} as const satisfies OptionTable

export const METRICS_OPTIONS = {
  listen: {
    kind: 'endpoint',
    default: '',
    unit: '',
    comment:
      'Where a live run answers /metrics (Prometheus), /healthz and /readyz, such as 127.0.0.1:9477. Empty, the default: nowhere, for nothing should listen that nobody asked for, and two sensors on one machine cannot share a port. There is no password: keep it on loopback or behind one.',
  },
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
