import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Envelope, makeAlertLine } from '../../src/explain/alert-line.ts'
import { fileStem, renderReport } from '../../src/explain/report.ts'
import { verifyReport } from '../../src/explain/verify.ts'
import type { AlertEvent } from '../../src/score/evidence.ts'
import { ENVELOPE, horizontalScan, loginGuessing, SAMPLES, verticalScan } from './alert-samples.ts'
import { HOSTILE_TEXTS } from './hostile-texts.ts'
import { tablesOf } from './markdown-tables.ts'

const GOLDEN = join(import.meta.dirname, '../golden/explain')

function report(event: AlertEvent, envelope: Envelope = ENVELOPE): string {
  return renderReport(makeAlertLine(event, envelope)).markdown
}

/** Compares with the golden file; UPDATE_GOLDEN=1 writes it, to be read before it is committed. */
function expectGolden(name: string, text: string): void {
  const path = join(GOLDEN, name)
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(GOLDEN, { recursive: true })
    writeFileSync(path, text)
  }
  expect(text).toBe(readFileSync(path, 'utf8'))
}

const PARTS = [
  'Summary',
  'Attack classification',
  'Pictures',
  'Benign explanations considered',
  'What would change this',
  'Threat analysis',
  'Network behaviour',
  'Observable features',
  'Visibility',
  'Recommendations',
  'Evidence',
]

const NETFLOW_NAMES = [
  'ID',
  'IP_SRC_ADDR',
  'IP_DST_ADDR',
  'L4_SRC_PORT',
  'L4_DST_PORT',
  'PROTOCOL_NUM',
  'FIRST_SWITCHED',
  'LAST_SWITCHED',
  'IN_PKTS',
  'IN_BYTES',
  'FLOW_DURATION_MILLISECONDS',
  'avg_in_packet_size',
  'inter_arrival_ms',
  'dst_flows_in_window',
  'src_entropy_PROTOCOL',
  'src_IN_PKTS_sum',
  'src_flows_in_window',
  'src_flag_SYN',
]

describe.each(SAMPLES.map((sample) => ({ kind: sample().kind, event: sample() })))('report: $kind', ({ event }) => {
  const rendered = renderReport(makeAlertLine(event, ENVELOPE))

  test('golden text and pictures', () => {
    expectGolden(`${rendered.stem}.md`, rendered.markdown)
    for (const picture of rendered.pictures) expectGolden(picture.name, picture.svg)
  })

  test('every part stands in its place, none is empty, nothing is undefined', () => {
    const found = [...rendered.markdown.matchAll(/^## (.*)$/gm)].map((match) => match[1])
    expect(found).toEqual(event.wouldChange.length > 0 ? PARTS : PARTS.filter((part) => part !== 'What would change this'))
    expect(rendered.markdown).not.toMatch(/undefined|NaN|Infinity|\[object|null/)
    expect(rendered.markdown).not.toMatch(/^## .*\n\n#/m)
    expect(rendered.markdown).not.toMatch(/\{[mx]\d+\}/)
  })

  test('the eighteen NetFlow names, in their order', () => {
    const table = rendered.markdown.split('## Observable features')[1].split('<details>')[0]
    expect([...table.matchAll(/^\| (\w+) \|/gm)].map((match) => match[1])).toEqual(['Feature', ...NETFLOW_NAMES])
  })

  test('no HTML beyond details and summary; tables hold; no line ends in a space', () => {
    const tags = [...rendered.markdown.replace(/```[\s\S]*?```/g, '').matchAll(/<\/?[a-z!][^>]*>/gi)].map((match) => match[0])
    expect(new Set(tags)).toEqual(new Set(['<details>', '<summary>', '</summary>', '</details>']))
    for (const table of tablesOf(rendered.markdown)) expect(new Set(table.cellCounts).size, `table at line ${table.firstLine}`).toBe(1)
    expect(rendered.markdown).not.toMatch(/ $/m)
  })

  test('the same line gives the same bytes', () => {
    expect(renderReport(makeAlertLine(JSON.parse(JSON.stringify(event)) as AlertEvent, ENVELOPE))).toEqual(rendered)
  })
})

describe('report: words', () => {
  test('the summary has three sentences at most', () => {
    const summary = report(verticalScan()).split('## Summary\n\n')[1].split('\n\n')[0]
    expect(
      summary
        .replace(/`[^`]*`|\*\*[^*]*\*\*/g, 'X')
        .split(/[.!?](?: |$)/)
        .filter((s) => s !== ''),
    ).toHaveLength(3)
  })

  test('the likelihood is one arithmetic line', () => {
    expect(report(verticalScan())).toContain(
      '10 % prior ×32 many closed ports (E1) ×3.2 a hundred ports (E2) ×3 empty probes (E3) = **97 %**',
    )
    const capped = {
      ...verticalScan(),
      cap: { limit: 0.6, why: 'no baseline' },
      likelihood: 0.6,
      arithmetic: [...verticalScan().arithmetic, { name: 'cap', log10: 0, text: '60 %', evidenceIds: [] }],
    }
    expect(report(capped)).toContain('×3 empty probes (E3), capped at **60 %**')
    expect(report(capped)).toContain('held at **60 %** at most: no baseline.')
  })

  test('actions are scaled: nothing is cut off for what is not grave and likely', () => {
    expect(report(verticalScan())).not.toMatch(/Block|isolate|revoke/i)
    expect(report(loginGuessing())).toContain('Block `198.51.100.23` from port 22 (usually ssh) of `10.0.0.12`')
    expect(report({ ...loginGuessing(), likelihood: 0.3 })).toContain('not likely or not grave enough')
  })

  test('a flow that was not measured says so', () => {
    const event = verticalScan()
    const flow = {
      ...event.flows[0],
      packets: [null, null] as [null, null],
      ipBytes: [null, null] as [null, null],
      payloadBytes: [null, null] as [null, null],
      timeline: [],
    }
    const text = report({ ...event, flows: [flow], features: {}, windowFeatures: {}, pictures: [], arithmetic: [] })
    expect(text).toContain('| IN_PKTS | not measured | – |')
    expect(text).toContain('| inter_arrival_ms | not measured | – |')
    expect(text).toContain('| src_entropy_PROTOCOL | not measured | – |')
    expect(text).not.toContain('## Pictures')
    expect(
      verifyReport(
        makeAlertLine({ ...event, flows: [flow], features: {}, windowFeatures: {}, pictures: [], arithmetic: [] }, ENVELOPE),
        text,
      ),
    ).toEqual([])
  })

  test('an entropy comes with its number of values and its unit', () => {
    expect(report(verticalScan())).toContain('| src_entropy_PROTOCOL | 0.0807931 over 2 values | bit |')
  })

  test('an episode of many, without flows, still reads', () => {
    const event = {
      ...horizontalScan(),
      actor: 'many',
      flows: [],
      pictures: [],
      evidence: [],
      benign: [],
      arithmetic: [],
      victims: { addresses: [], count: 0 },
    }
    const line = makeAlertLine(event, { timestamp: ENVELOPE.timestamp })
    const { markdown } = renderReport(line)
    expect(markdown).toContain('# Horizontal scan: many sources → unknown hosts')
    expect(markdown).not.toMatch(/undefined|NaN/)
    expect(verifyReport(line, markdown)).toEqual([])
  })

  test('a kind without words of its own, UDP, ICMP and IPv6 read too', () => {
    for (const change of [
      { kind: 'no.such' },
      { proto: 17 },
      { proto: 1 },
      { actor: 'fe80::1', victims: { addresses: ['2001:db8::9'], count: 1 } },
    ]) {
      const event = { ...horizontalScan(), ...change }
      const line = makeAlertLine({ ...event, flows: event.flows.map((flow) => ({ ...flow, proto: event.proto })) }, ENVELOPE)
      expect(verifyReport(line, renderReport(line).markdown)).toEqual([])
    }
  })

  test('an alert id that is no file name becomes one', () => {
    expect(fileStem('a3f1-scan.vertical')).toBe('a3f1-scan.vertical')
    expect(fileStem('../../etc/passwd')).toBe('_.._.._etc_passwd')
    expect(fileStem('.hidden')).toBe('_.hidden')
    expect(fileStem('x'.repeat(500))).toHaveLength(120)
  })
})

/** Texts put where the wire or an operator has a say. */
function hostile(text: string): AlertEvent {
  const event = horizontalScan()
  const names = { title: text, actor: text, victims: { addresses: [text, text], count: 2 }, sensor: { ...event.sensor, name: text } }
  return {
    ...event,
    ...names,
    flows: event.flows.map((flow) => ({ ...flow, addr: [text, text] as [string, string], history: text, communityId: text })),
    evidence: event.evidence.map((e) => ({ ...e, claim: 'failed on {x0}', names: [text], alt: text, next: text })),
    benign: event.benign.map((e) => ({ ...e, claim: '{x0} answered {m0}', names: [text] })),
    wouldChange: [text],
    severityWhy: [text],
    notEvaluated: [{ code: text, why: text }],
    pictures: [
      {
        picture: 'grid',
        targets: [text, text],
        ports: [22],
        cells: [
          { target: 0, port: 0, outcome: 'answered' },
          { target: 1, port: 0, outcome: 'failed' },
        ],
        omitted: 0,
      },
    ],
  }
}

describe('report: hostile texts stay where they are put', () => {
  const clean = report(hostile('harmless'))
  test.each(HOSTILE_TEXTS)('%j', (text) => {
    const line = makeAlertLine(hostile(text), { ...ENVELOPE, host: text, pcap_filename: text })
    const { markdown, pictures } = renderReport(line)
    expect(tablesOf(markdown)).toEqual(tablesOf(clean).map((table) => ({ ...table, firstLine: expect.any(Number) as number })))
    expect([...markdown.matchAll(/^#+ /gm)]).toHaveLength([...clean.matchAll(/^#+ /gm)].length)
    const outsideCode = markdown.replace(/```[\s\S]*?```/g, '').replace(/(`+)(?!`)[^\n]*?[^`\n]\1(?!`)/g, 'code')
    expect(outsideCode).not.toMatch(/(?<!\\)<(?!\/?(details|summary)>)/)
    expect(outsideCode.replace(/!\[[^\]\n]*\]\([\w.-]+\.svg\)/g, '')).not.toMatch(/(?<!\\)\]\(/)
    expect(outsideCode).not.toMatch(/[^\\]:\/\/|\bwww\./)
    for (const block of markdown.matchAll(/```[\s\S]*?```/g)) if (text.includes('rm -rf')) expect(block[0]).not.toContain('rm -rf')
    for (const { svg } of pictures) expect(svg).not.toMatch(/<script|<img|\u202e/)
    expect(verifyReport(line, markdown)).toEqual([])
  })
})
