import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { describe, expect, test } from 'vitest'
import { AlertLineError, LINE_BYTES_MAX, makeAlertLine, parseAlertLine } from '../../src/explain/alert-line.ts'
import { alertSchemaDocument } from '../../src/explain/alert-shape.ts'
import { KINDS, kindWords } from '../../src/explain/kinds.ts'
import { renderReport } from '../../src/explain/report.ts'
import { verifyReport } from '../../src/explain/verify.ts'
import type { AlertEvent } from '../../src/score/evidence.ts'
import { ENVELOPE, horizontalScan, loginGuessing, SAMPLES, verticalScan } from './alert-samples.ts'
import { HOSTILE_TEXTS } from './hostile-texts.ts'

const PUBLISHED = join(import.meta.dirname, '../../config/alert-context.schema.json')
/** Suricata's own schema: found beside the work tree, or where FLOWSCRIBE_EVE_SCHEMA says. */
const EVE_SCHEMA = [
  process.env.FLOWSCRIBE_EVE_SCHEMA,
  ...['../shared', '../../shared', '../../../shared'].map((up) => join(import.meta.dirname, '../..', up, 'data/eve-schema.json')),
].find((path) => path !== undefined && existsSync(path))

const ajv = new Ajv({ strict: false, allErrors: true })
addFormats.default(ajv)
const holdsToOurs = ajv.compile(JSON.parse(readFileSync(PUBLISHED, 'utf8')) as object)

function oursOf(text: string): AlertEvent {
  return (JSON.parse(text) as { alert: { context: { flowscribe: AlertEvent } } }).alert.context.flowscribe
}

/** Every text of an event replaced, as deep as they lie; what is chosen from a closed list stays. */
function withTexts(event: AlertEvent, text: string): AlertEvent {
  const kept = new Set([
    'event',
    'kind',
    'band',
    'calibration',
    'severity',
    'unit',
    'group',
    'basis',
    'supports',
    'scope',
    'picture',
    'outcome',
    'how',
    'halves',
    'baselineState',
    'source',
    'actorSide',
    'claim',
  ])
  return JSON.parse(JSON.stringify(event), (key, value: unknown) =>
    typeof value === 'string' && !kept.has(key) ? text : value,
  ) as AlertEvent
}

/** As large as an event can be, and larger. */
function giant(): AlertEvent {
  const base = loginGuessing()
  const long = '日本語"\\'.repeat(200)
  const evidence = Array.from({ length: 60 }, (_, i) => ({
    ...base.evidence[0],
    id: `E${i}`,
    claim: long,
    alt: long,
    next: long,
    names: new Array<string>(100).fill(long),
    measured: new Array<(typeof base.evidence)[0]['measured'][0]>(50).fill({ v: 1e300, unit: 'count', text: long }),
  }))
  const ports = Array.from({ length: 60_000 }, (_, i) => i)
  return {
    ...base,
    evidence,
    benign: evidence,
    title: long,
    severityWhy: new Array<string>(99).fill(long),
    wouldChange: new Array<string>(99).fill(long),
    notEvaluated: new Array<{ code: string; why: string }>(99).fill({ code: long, why: long }),
    victims: { addresses: new Array<string>(5000).fill('2001:db8:1234:5678:9abc:def0:1234:5678'), count: 5000 },
    flows: Array.from({ length: 50 }, (_, i) => ({
      ...base.flows[0],
      id: i,
      history: long,
      timeline: new Array<(typeof base.flows)[0]['timeline'][0]>(5000).fill(base.flows[0].timeline[0]),
    })),
    features: Object.fromEntries(ports.slice(0, 1000).map((p) => [`feature_of_a_very_long_name_${p}`.repeat(4), 1.234567890123e-7])),
    pictures: [
      {
        picture: 'grid',
        targets: ['10.0.0.9'],
        ports,
        omitted: 7,
        cells: ports.map((p) => ({ target: 0, port: p, outcome: p === 59_999 ? 'answered' : 'failed' })),
      },
      ...base.pictures,
    ],
  }
}

/** As a rule of the site leaves it, with words of a person in it. */
function muted(words = 'Nessus, ticket 4711'): AlertEvent {
  return { ...verticalScan(), shouldNotify: false, suppressed: { rule: 'm-1a2b3c4d', owner: words, until: '2027-01-31', reason: words } }
}

describe('alert line', () => {
  test('the published schema is the shape that lines are checked and cut by', () => {
    expect(JSON.parse(readFileSync(PUBLISHED, 'utf8'))).toEqual(JSON.parse(JSON.stringify(alertSchemaDocument())))
  })

  test.each(SAMPLES.map((sample) => [sample().kind, sample] as const))(
    '%s: what is read back is what was written, keys in one order',
    (_kind, sample) => {
      const line = makeAlertLine(sample(), ENVELOPE)
      expect(holdsToOurs(oursOf(line.text)), JSON.stringify(holdsToOurs.errors)).toBe(true)
      const back = parseAlertLine(line.text, 'alerts.jsonl:1')
      expect(back).toEqual(line)
      expect(back.alert).toEqual(sample())
      const shuffled = Object.fromEntries(Object.entries(sample()).reverse()) as unknown as AlertEvent
      expect(makeAlertLine(shuffled, ENVELOPE).text).toBe(line.text)
    },
  )

  test.skipIf(EVE_SCHEMA === undefined)("valid against Suricata's own schema (needs data/eve-schema.json)", { timeout: 30_000 }, () => {
    const holdsToEve = ajv.compile(JSON.parse(readFileSync(EVE_SCHEMA ?? '', 'utf8')) as object)
    const icmp = {
      ...horizontalScan(),
      proto: 1,
      flows: horizontalScan().flows.map((flow) => ({ ...flow, proto: 1, port: [8, 0] as [number, number] })),
    }
    const many = { ...verticalScan(), actor: 'many', flows: [], victims: { addresses: [], count: 0 } }
    const unmeasured = {
      ...verticalScan(),
      flows: verticalScan().flows.map((flow) => ({
        ...flow,
        packets: [null, null] as [null, null],
        ipBytes: [null, null] as [null, null],
      })),
    }
    for (const event of [
      ...SAMPLES.map((sample) => sample()),
      muted(),
      icmp,
      many,
      unmeasured,
      giant(),
      ...HOSTILE_TEXTS.map((text) => withTexts(verticalScan(), text)),
    ]) {
      const line = makeAlertLine(event, { ...ENVELOPE, in_iface: 'eth1' })
      expect(holdsToEve(JSON.parse(line.text)), JSON.stringify(holdsToEve.errors)).toBe(true)
    }
  })
})

describe('alert line: envelope', () => {
  test('actor and first victim, ids and ports of the flow between them', () => {
    const line = JSON.parse(makeAlertLine(verticalScan(), ENVELOPE).text) as Record<string, unknown>
    expect(line).toMatchObject({
      timestamp: '2026-03-17T09:21:14.402118+0000',
      flow_id: 4_718_203_991_125,
      event_type: 'alert',
      src_ip: '10.0.0.7',
      src_port: 51_514,
      dest_ip: '10.0.0.9',
      dest_port: 22,
      proto: 'TCP',
      ip_v: 4,
      direction: 'to_server',
      community_id: '1:wCb3OG7yAFWelaUydu0D+125CLM=',
      host: 'sensor-a',
      pcap_filename: 'pcaps/nmap-syn.pcap.gz',
      pkt_src: 'wire/pcap',
      alert: { action: 'allowed', gid: 4242, signature_id: 4_242_001, rev: 1, category: 'Detection of a Network Scan', severity: 2 },
      flow: {
        pkts_toserver: 2,
        pkts_toclient: 1,
        bytes_toserver: 84,
        bytes_toclient: 44,
        start: '2026-03-17T09:20:12.402118+0000',
        end: '2026-03-17T09:20:12.403031+0000',
      },
    })
  })

  test('an actor that answers is still the source; its flow keeps its own direction', () => {
    const event = { ...verticalScan(), actor: '10.0.0.9', victims: { addresses: ['10.0.0.7'], count: 1 } }
    expect(JSON.parse(makeAlertLine(event, ENVELOPE).text)).toMatchObject({
      src_ip: '10.0.0.9',
      src_port: 22,
      dest_ip: '10.0.0.7',
      dest_port: 51_514,
      direction: 'to_client',
      flow: { src_ip: '10.0.0.7', dest_ip: '10.0.0.9' },
    })
  })

  test('many sources give the busiest; a victim without a kept flow gives no ports', () => {
    expect(JSON.parse(makeAlertLine({ ...verticalScan(), actor: 'many' }, ENVELOPE).text)).toMatchObject({
      src_ip: '10.0.0.7',
      src_port: 51_514,
      dest_ip: '10.0.0.9',
    })
    const elsewhere = JSON.parse(
      makeAlertLine({ ...verticalScan(), victims: { addresses: ['10.9.9.9'], count: 1 } }, ENVELOPE).text,
    ) as Record<string, unknown>
    expect(elsewhere.dest_ip).toBe('10.9.9.9')
    expect(elsewhere).not.toHaveProperty('src_port')
    expect(elsewhere).not.toHaveProperty('community_id')
  })
})

describe('alert line: limits and refusals', () => {
  test('severity and confidence follow the maps', () => {
    const of = (severity: AlertEvent['severity'], likelihood: number): unknown =>
      JSON.parse(makeAlertLine({ ...verticalScan(), severity, likelihood }, ENVELOPE).text)
    expect(of('critical', 0.95)).toMatchObject({
      alert: { severity: 1, metadata: { signature_severity: ['Critical'], confidence: ['High'] } },
    })
    expect(of('low', 0.6)).toMatchObject({ alert: { severity: 3, metadata: { confidence: ['Medium'] } } })
    expect(of('info', 0.1)).toMatchObject({
      alert: { severity: 4, metadata: { signature_severity: ['Informational'], confidence: ['Low'] } },
    })
  })

  test('a muted alert is informational to readers of eve; its own verdict stays', () => {
    const line = makeAlertLine(muted(), ENVELOPE)
    expect(JSON.parse(line.text)).toMatchObject({
      alert: { severity: 4, metadata: { signature_severity: ['Informational'], flowscribe_muted: ['m-1a2b3c4d'] } },
    })
    expect(oursOf(line.text)).toMatchObject({ severity: 'medium', likelihood: verticalScan().likelihood, suppressed: muted().suppressed })
    expect(parseAlertLine(line.text, 'x')).toEqual(line)
  })

  test.each(HOSTILE_TEXTS)('owner and reason %j: the line holds to the schema, its report is verified', (text) => {
    const line = makeAlertLine(muted(text), ENVELOPE)
    expect(holdsToOurs(oursOf(line.text)), JSON.stringify(holdsToOurs.errors)).toBe(true)
    const { markdown } = renderReport(line)
    expect(markdown.split('\n').filter((row) => row.startsWith('**Muted**')).length).toBe(1)
    expect(verifyReport(line, markdown)).toEqual([])
  })

  test('under 64 KiB whatever comes, and what was cut from a picture is counted', () => {
    const line = makeAlertLine(giant(), ENVELOPE)
    expect(Buffer.byteLength(line.text)).toBeLessThanOrEqual(LINE_BYTES_MAX)
    expect(holdsToOurs(oursOf(line.text)), JSON.stringify(holdsToOurs.errors)).toBe(true)
    const [grid] = line.alert.pictures
    expect(grid.picture === 'grid' ? grid.cells.length + grid.omitted : 0).toBe(60_007)
    const modest = makeAlertLine({ ...verticalScan(), pictures: giant().pictures }, ENVELOPE)
    const [kept] = modest.alert.pictures
    expect(
      kept.picture === 'grid' ? kept.cells.filter((cell) => cell.outcome === 'answered').map((cell) => kept.ports[cell.port]) : [],
    ).toEqual([59_999])
    expect(kept.picture === 'grid' ? [kept.cells.length, kept.ports.length, kept.omitted] : []).toEqual([512, 512, 59_495])
  })

  test.each(HOSTILE_TEXTS)('hostile text %j: one line, no control characters, reads back', (text) => {
    const line = makeAlertLine(withTexts(verticalScan(), text), { ...ENVELOPE, host: text })
    expect(line.text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/u)
    expect(line.text).not.toMatch(/\\u/)
    expect(parseAlertLine(line.text, 'x').alert).toEqual(line.alert)
  })

  test.each([
    ['{"event_type":"al', /^alerts\.jsonl:7: not JSON/],
    ['[]', /^alerts\.jsonl:7: expected an object/],
    ['{"event_type":"flow"}', /^alerts\.jsonl:7: no alert\.context\.flowscribe/],
    [
      makeAlertLine(verticalScan(), ENVELOPE).text.replace('"likelihood":0.968', '"likelihood":"high"'),
      /^alerts\.jsonl:7: alert\.context\.flowscribe\.likelihood: expected number, got "high"$/,
    ],
    [
      makeAlertLine(verticalScan(), ENVELOPE).text.replace('"unit":"count"', '"unit":"sheep"'),
      /evidence\[0\]\.measured\[0\]\.unit: "sheep" is none of B, us/,
    ],
    [makeAlertLine(verticalScan(), ENVELOPE).text.replace('"priorLog10"', '"prior"'), /priorLog10: missing\n.*prior: no such key/],
    [
      makeAlertLine(verticalScan(), ENVELOPE).text.replace('"timestamp":"2026-03-17T09:21:14.402118+0000"', '"timestamp":3'),
      /timestamp: missing/,
    ],
  ])('a line that cannot be used says where and why: %#', (text, message) => {
    expect(() => parseAlertLine(text, 'alerts.jsonl:7')).toThrow(AlertLineError)
    expect(() => parseAlertLine(text, 'alerts.jsonl:7')).toThrow(message)
  })

  test('kinds: signature ids are unique; an unknown kind has words too', () => {
    const ids = [...Object.values(KINDS), kindWords('no.such')].map((words) => words.signatureId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(kindWords('constructor')).toBe(kindWords('no.such'))
  })
})
