/** Alerts without a flow: the line is valid, the report whole, and what is to be copied is accepted by the tools it is for. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { makeAlertLine, parseAlertLine } from '../../src/explain/alert-line.ts'
import { renderReport } from '../../src/explain/report.ts'
import { verifyReport } from '../../src/explain/verify.ts'
import type { AlertEvent } from '../../src/score/evidence.ts'
import { carried, judgeLink, mac, reply, request } from '../score/arp-messages.ts'
import { range } from '../score/flows.ts'
import { ENVELOPE } from './alert-samples.ts'

// The schema compiles for seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const EVE_SCHEMA = ['../shared', '../../shared', '../../../shared']
  .map((up) => join(import.meta.dirname, '../..', up, 'data/eve-schema.json'))
  .find(existsSync)

const host = '10.0.0.7'
const gateway = '10.0.0.1'
const evil = mac('10.0.0.66')

function sweep(): AlertEvent {
  const [alert] = judgeLink([
    request('10.0.0.3', gateway, 0),
    reply(gateway, '10.0.0.3', 0.001),
    ...range(120).map((i) => request(host, `10.0.1.${i}`, 1 + i / 10)),
    reply('10.0.1.4', host, 1.5),
  ])
  return alert
}

function taken(isKnown: boolean): AlertEvent {
  const packets = (card: string, at: number) => range(4).map((i) => carried(card, mac(host), `203.0.113.${i}`, host, at + i / 10))
  const [alert] = judgeLink([
    request(host, gateway, 0),
    reply(gateway, host, 0.001),
    ...(isKnown ? [request('10.0.0.66', gateway, 1)] : []),
    ...packets(mac(gateway), 1),
    ...range(9).map((i) => reply(gateway, host, 10 + i * 2, evil)),
    ...packets(evil, 20),
  ])
  return alert
}

function between(): AlertEvent {
  const [alert] = judgeLink(range(9).flatMap((i) => [reply(gateway, host, 10 + i * 2, evil), reply(host, gateway, 10.5 + i * 2, evil)]))
  return alert
}

const EVENTS: readonly [string, () => AlertEvent][] = [
  ['sweep.arp', sweep],
  ['mitm.arp', () => taken(true)],
  ['mitm.arp between two hosts', between],
  ['mitm.arp by a card without an address', () => taken(false)],
]

const ajv = new Ajv({ strict: false, allErrors: true })
addFormats.default(ajv)
const holds = EVE_SCHEMA === undefined ? (): boolean => false : ajv.compile(JSON.parse(readFileSync(EVE_SCHEMA, 'utf8')) as object)

function reportOf(event: AlertEvent): string {
  return renderReport(makeAlertLine(event, ENVELOPE)).markdown
}

describe.each(EVENTS)('%s', (_name, eventOf) => {
  const event = eventOf()

  test('the line is read back as it was, names the protocol, and has nothing of a flow', () => {
    const line = makeAlertLine(event, ENVELOPE)
    expect(parseAlertLine(line.text, 'line 1').alert).toEqual(line.alert)
    const eve = JSON.parse(line.text) as Record<string, unknown>
    expect(eve).toMatchObject({ event_type: 'alert', proto: 'ARP', dest_ip: expect.stringMatching(/^10\./) })
    for (const key of ['flow', 'flow_id', 'community_id', 'src_port', 'dest_port', 'ip_v', 'direction']) expect(eve).not.toHaveProperty(key)
    // An address of its own, or the card; never a card in the place of an address.
    if (event.actor.startsWith('10.')) expect(eve.src_ip).toBe(event.actor)
    else expect([eve.src_ip, eve.ether]).toEqual([undefined, { src_mac: evil }])
  })

  test.skipIf(EVE_SCHEMA === undefined)("the line is valid against Suricata's own schema (needs data/eve-schema.json)", () => {
    expect(holds(JSON.parse(makeAlertLine(event, ENVELOPE).text)), JSON.stringify(ajv.errors)).toBe(true)
  })

  test('the report speaks of messages, not of flows; no part is empty, nothing is undefined, every number holds', () => {
    const line = makeAlertLine(event, ENVELOPE)
    const { markdown, pictures } = renderReport(line)
    expect(verifyReport(line, markdown, pictures)).toEqual([])
    expect(markdown).not.toMatch(/undefined|NaN|null|No single flow|\d flows?\b|Community ID|port 0|suricata rule/i)
    expect(markdown).not.toMatch(/\n## [^\n]+\n+(?=## |$)/)
    expect(markdown).toMatch(/\d+ ARP messages/)
    expect(pictures.map(({ name }) => name.split('.').at(-2))).toEqual(['contributions', event.kind === 'sweep.arp' ? 'grid' : 'claims'])
    for (const { svg } of pictures) expect(svg).not.toMatch(/undefined|NaN|port 0/)
  })

  test('one digit changed is found', () => {
    const line = makeAlertLine(event, ENVELOPE)
    const report = reportOf(event)
    const at = report.indexOf(' ARP messages') - 1
    const changed = `${report.slice(0, at)}${(Number(report[at]) + 1) % 10}${report.slice(at + 1)}`
    expect(verifyReport(line, changed).length).toBeGreaterThan(0)
  })

  test('the capture filter compiles and the display filter is accepted (needs tcpdump and tshark)', (context) => {
    const isThere = (tool: string): boolean => spawnSync(tool, ['--version'], { stdio: 'ignore' }).error === undefined
    context.skip(!isThere('tcpdump') || !isThere('tshark'), 'tcpdump or tshark is not installed')
    const [filter, zeek, tshark] = [...reportOf(event).matchAll(/```\w*\n([\s\S]*?)\n```/g)].map((match) => match[1])
    expect(zeek).toMatch(/^zeek -C -i INTERFACE -e 'event arp_/)
    const compiled = spawnSync('tcpdump', ['-y', 'EN10MB', '-d', filter], { encoding: 'utf8' })
    expect(compiled.status, `${filter}: ${compiled.stderr}`).toBe(0)
    const folder = mkdtempSync(join(tmpdir(), 'flowscribe-arp-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'empty.pcap')
    writeFileSync(path, Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex'))
    const shown = spawnSync('sh', ['-c', tshark.replace(ENVELOPE.pcap_filename ?? '', path)], { encoding: 'utf8' })
    expect(shown.status, `${tshark}: ${shown.stderr}`).toBe(0)
  })
})
