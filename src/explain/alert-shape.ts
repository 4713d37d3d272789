/**
 * The shape of `alert.context.flowscribe`, declared once: what `config/alert-context.schema.json` publishes (a test holds the
 * two equal), what a line read back is checked against, and where long texts and lists are cut.
 *
 * Out: JSON Schema (draft-07), of which only the words in `Schema` are used.
 * The invariant: a key of `AlertEvent` that is missing here does not compile.
 */
import type {
  AlertEvent,
  BaselineProgress,
  Change,
  Evidence,
  Incident,
  IncidentMember,
  KeptFlow,
  Num,
  Observation,
  RecordVisibility,
  SliceNote,
  Suppression,
  Visibility,
} from '../score/evidence.ts'

export interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly (string | number)[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly anyOf?: readonly Schema[]
}

const TEXT: Schema = { type: 'string', maxLength: 400 }
const NUMBER: Schema = { type: 'number' }
const COUNT: Schema = { type: 'integer', minimum: 0 }
const MEASURED: Schema = { type: ['number', 'null'] }
const NULLABLE_TEXT: Schema = { type: ['string', 'null'], maxLength: 400 }
const FLAG: Schema = { type: 'boolean' }
const PORT: Schema = { type: 'integer', minimum: 0, maximum: 65535 }
const EVE_TIME: Schema = { ...TEXT, description: 'UTC, as eve writes it: 2026-08-23T10:11:12.123456+0000' }
const TIME_US: Schema = { ...NUMBER, description: "µs relative to the run's base second" }

function oneOf(...values: readonly (string | number)[]): Schema {
  return { type: typeof values[0] === 'string' ? 'string' : 'integer', enum: values }
}

function list(items: Schema, maxItems: number, minItems = 0): Schema {
  return { type: 'array', items, minItems, maxItems }
}

function record(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((key) => !optional.includes(key))
  return { type: 'object', properties, required, additionalProperties: false }
}

function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] }
}

const NUM = record({
  v: NUMBER,
  unit: oneOf('B', 'us', 's', 'count', 'ratio', 'pps', 'Bps', '1/N', 'log10', 'percent', 'port'),
  text: { ...TEXT, description: 'The one way this value is written.' },
} satisfies Record<keyof Num, Schema>)

const EVIDENCE = record(
  {
    id: TEXT,
    code: TEXT,
    label: TEXT,
    claim: { ...TEXT, description: 'A sentence; {m0} stands for measured[0], {x0} for names[0].' },
    measured: list(NUM, 12),
    names: list(TEXT, 24),
    sample: record({ n: COUNT, fromUs: TIME_US, toUs: TIME_US, flowIds: list(COUNT, 10) }),
    baseline: record({ scope: oneOf('this host', 'this service', 'this network', 'none'), n: COUNT, median: NUM, p95: NUM }),
    lr: { ...NUMBER, description: 'log10 likelihood ratio, before clipping to -1.5…2' },
    group: oneOf('pattern', 'scale', 'timing', 'failure', 'volume', 'novelty', 'target', 'anomaly', 'incident', 'benign'),
    basis: oneOf('test', 'measured', 'expert'),
    supports: oneOf('malicious', 'benign'),
    alt: TEXT,
    next: TEXT,
  } satisfies Record<keyof Evidence, Schema>,
  ['baseline', 'alt'],
)

const KEPT_FLOW = record(
  {
    id: COUNT,
    communityId: NULLABLE_TEXT,
    proto: { type: 'integer', minimum: 0, maximum: 255 },
    addr: list(NULLABLE_TEXT, 2, 2),
    port: list({ type: ['integer', 'null'], minimum: 0, maximum: 65535 }, 2, 2),
    start: EVE_TIME,
    connectionStart: EVE_TIME,
    durationUs: NUMBER,
    connState: NULLABLE_TEXT,
    history: NULLABLE_TEXT,
    packets: list(MEASURED, 2, 2),
    payloadBytes: list(MEASURED, 2, 2),
    ipBytes: list(MEASURED, 2, 2),
    timeline: list(
      record({ direction: oneOf(0, 1), gapUs: NUMBER, payloadLen: COUNT, flags: { type: 'integer', minimum: 0, maximum: 255 } }),
      64,
    ),
    record: record({
      format: TEXT,
      file: TEXT,
      line: COUNT,
      name: NULLABLE_TEXT,
      side: oneOf(0, 1),
      isPayloadEstimated: FLAG,
      hasUnusableFlags: FLAG,
    } satisfies Record<keyof NonNullable<KeptFlow['record']>, Schema>),
  } satisfies Record<keyof KeptFlow, Schema>,
  ['record', 'connectionStart'],
)

const VISIBILITY = record(
  {
    packetsSeen: MEASURED,
    packetsNotDecoded: MEASURED,
    truncatedPackets: MEASURED,
    latePackets: MEASURED,
    evictedFlows: MEASURED,
    lostByKernel: MEASURED,
    lostByInterface: MEASURED,
    acks: MEASURED,
    ackGaps: MEASURED,
    duplicatePackets: MEASURED,
    oversizePackets: MEASURED,
    checksumsLooked: MEASURED,
    checksumsBad: MEASURED,
    clockSteps: MEASURED,
    missingShare: MEASURED,
    bothHalves: MEASURED,
    inputDamage: NULLABLE_TEXT,
    source: oneOf('file', 'live', 'live, losses not counted', 'flow records'),
    records: record({
      formats: list(TEXT, 8),
      read: COUNT,
      damaged: COUNT,
      tooLate: COUNT,
      sampling: COUNT,
      clientHalvesOnly: COUNT,
      serverHalvesOnly: COUNT,
      lacks: list(TEXT, 16),
      notes: list(TEXT, 16),
    } satisfies Record<keyof RecordVisibility, Schema>),
  } satisfies Record<keyof Visibility, Schema>,
  ['records'],
)

const GRID = record({
  picture: oneOf('grid'),
  targets: list(TEXT, 512),
  ports: list(PORT, 512),
  cells: list(record({ target: COUNT, port: COUNT, outcome: oneOf('failed', 'answered') }), 512),
  omitted: COUNT,
})

const SESSIONS = record({
  picture: oneOf('sessions'),
  sessions: list(record({ atUs: TIME_US, bytes: NUMBER, durationUs: NUMBER, odd: FLAG }), 512),
  omitted: COUNT,
})

const GAPS = record({ picture: oneOf('gaps'), gapsUs: list(NUMBER, 64), medianUs: NUMBER, tolerance: NUMBER, close: COUNT })

const RATE = record({ picture: oneOf('rate'), what: TEXT, perSecond: list(NUMBER, 64), threshold: NUMBER })

const UPLOADS = record({
  picture: oneOf('uploads'),
  sentBytes: NUMBER,
  receivedBytes: NUMBER,
  floorBytes: NUMBER,
  slots: list(record({ sentBytes: NUMBER, receivedBytes: NUMBER }), 33),
  usual: orNull(record({ hours: COUNT, medianBytes: NUMBER, p95Bytes: NUMBER })),
})

const CONCURRENT = record({
  picture: oneOf('concurrent'),
  points: list(record({ atUs: TIME_US, open: COUNT }), 256),
  threshold: NUMBER,
})

const CHANGE = record({
  what: { ...TEXT, description: 'What is measured.' },
  from: NUM,
  to: { ...NUM, description: 'With this value there would be no alert.' },
  half: { ...NUM, description: 'With this value, half of the way, there still would.' },
  likelihood: { ...MEASURED, description: 'With `to`; null: the entry test would not be met.' },
  likelihoodAtHalf: NUMBER,
} satisfies Record<keyof Change, Schema>)

const CLAIMS = record({
  picture: oneOf('claims'),
  macs: list(TEXT, 512),
  addresses: list(TEXT, 512),
  marks: list(record({ atUs: TIME_US, mac: COUNT, address: COUNT, how: oneOf('question', 'answer', 'announcement', 'unasked') }), 512),
  omitted: COUNT,
})

const TECHNIQUE = record({ id: TEXT, name: TEXT, tactic: TEXT, tacticName: TEXT })
const NUMBERS_BY_NAME: Schema = { type: 'object', additionalProperties: MEASURED }

const KEYS = {
  id: { ...TEXT, description: 'Stable over the episode.' },
  event: oneOf('open', 'update', 'close'),
  kind: TEXT,
  title: TEXT,
  likelihood: { type: 'number', minimum: 0, maximum: 1 },
  band: oneOf('likely benign', 'unclear', 'suspicious', 'likely malicious', 'very likely malicious'),
  calibration: oneOf('prior', 'site'),
  cap: orNull(record({ limit: NUMBER, why: TEXT })),
  severity: oneOf('info', 'low', 'medium', 'high', 'critical'),
  severityWhy: list(TEXT, 16),
  attack: list(TECHNIQUE, 16),
  priorLog10: NUMBER,
  arithmetic: list(record({ name: TEXT, log10: NUMBER, text: TEXT, evidenceIds: list(TEXT, 32) }), 16),
  evidence: list(EVIDENCE, 24),
  benign: list(EVIDENCE, 24),
  notEvaluated: list(record({ code: TEXT, why: TEXT }), 32),
  wouldChange: list(TEXT, 8),
  counterfactual: record({
    threshold: NUMBER,
    changes: list(CHANGE, 4),
    observations: list(record({ text: TEXT, likelihood: NUMBER } satisfies Record<keyof Observation, Schema>), 4),
  }),
  shouldNotify: FLAG,
  suppressed: {
    ...record({ rule: TEXT, owner: TEXT, until: TEXT, reason: TEXT } satisfies Record<keyof Suppression, Schema>),
    description: 'A rule of the site mutes this alert: it is in the list, wakes nobody, and is judged as if there were no rule.',
  },
  heldBackCount: COUNT,
  actor: { ...TEXT, description: "An address, 'many', or 'unknown'; a MAC address where ARP shows no other." },
  actorSide: oneOf('inside', 'outside', 'unknown'),
  victims: record({ addresses: list(TEXT, 16), count: COUNT }),
  servicePort: { type: ['integer', 'null'], minimum: 0, maximum: 65535 },
  proto: { type: 'integer', minimum: 0, maximum: 65535, description: 'IANA protocol number, or 2054 (0x0806) for ARP' },
  episode: record({
    flows: { ...COUNT, description: 'ARP messages where proto is ARP' },
    firstUs: TIME_US,
    lastUs: TIME_US,
    first: EVE_TIME,
    last: EVE_TIME,
  }),
  orientation: record({
    how: oneOf('syn', 'synack', 'table', 'port', 'guess', 'sender'),
    confidence: NUMBER,
    halves: oneOf('orig', 'resp', 'both'),
  }),
  baselineState: oneOf('learning', 'partial', 'ready', 'drifting', 'none'),
  baseline: record({ watched: NUM, remaining: orNull(NUM), votes: NUM, hosts: NUM } satisfies Record<keyof BaselineProgress, Schema>),
  visibility: VISIBILITY,
  flows: list(KEPT_FLOW, 8),
  features: NUMBERS_BY_NAME,
  windowFeatures: NUMBERS_BY_NAME,
  pictures: list({ anyOf: [GRID, SESSIONS, GAPS, RATE, UPLOADS, CONCURRENT, CLAIMS] }, 8),
  incident: record({
    id: TEXT,
    members: list(
      record({ id: TEXT, kind: TEXT, title: TEXT, actor: TEXT, victim: TEXT, first: EVE_TIME } satisfies Record<
        keyof IncidentMember,
        Schema
      >),
      16,
    ),
  } satisfies Record<keyof Incident, Schema>),
  slice: record({
    source: oneOf('files', 'memory'),
    heldFrom: orNull(EVE_TIME),
    packetsMax: COUNT,
    bytesMax: COUNT,
    snapBytes: orNull(COUNT),
  } satisfies Record<keyof SliceNote, Schema>),
  featureSet: TEXT,
  sensor: record({ name: TEXT, version: TEXT, configDigest: TEXT }),
} satisfies Record<keyof AlertEvent, Schema>

export const ALERT_SHAPE: Schema = record(KEYS, ['actorSide', 'baseline', 'incident', 'counterfactual', 'suppressed', 'slice'])

/** The published form of the shape. */
export function alertSchemaDocument(): object {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'flowscribe: what an eve alert line holds under alert.context.flowscribe',
    ...ALERT_SHAPE,
  }
}
