/** Lines that a report gives to be copied: held to the tools they are for, where those are installed. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeAlertLine } from '../../src/explain/alert-line.ts'
import { KINDS } from '../../src/explain/kinds.ts'
import { renderReport } from '../../src/explain/report.ts'
import type { AlertEvent } from '../../src/score/evidence.ts'
import { ENVELOPE, horizontalScan, SAMPLES, verticalScan } from './alert-samples.ts'
import { suricataFaults } from './suricata-grammar.ts'

function isInstalled(tool: string): boolean {
  return spawnSync(tool, ['--version'], { stdio: 'ignore' }).error === undefined
}

/** Protocol and port that a kind is about; what is not here is TCP, on the port of the sample. */
const ABOUT: Readonly<Record<string, Partial<AlertEvent>>> = {
  'sweep.icmp': { proto: 1, servicePort: null },
  'flood.icmp': { proto: 1, servicePort: null, actor: 'many' },
  'icmp.tunnel': { proto: 58, servicePort: null },
  'flood.udp': { proto: 17, servicePort: 67, actor: 'many' },
  'amp.victim': { proto: 17, servicePort: 53, actor: 'many' },
  'amp.reflector': { proto: 17, servicePort: 11211 },
  'dns.tunnel': { proto: 17, servicePort: 53 },
  'scan.background': { actor: 'many' },
  'c2.beacon': { servicePort: 443, pictures: [{ picture: 'gaps', gapsUs: [6e7, 6.1e7], medianUs: 6.05e7, tolerance: 0.1, close: 2 }] },
  'exfil.volume': {
    servicePort: 443,
    pictures: [{ picture: 'uploads', sentBytes: 6e7, receivedBytes: 10, floorBytes: 5e7, slots: [], usual: null }],
  },
}

function ofKind(kind: string, over: Partial<AlertEvent> = {}): AlertEvent {
  const said = { ...verticalScan(), kind, ...ABOUT[kind], ...over }
  // Each family has its own ICMP.
  const isV6 = said.actor.includes(':')
  const event = { ...said, proto: said.proto === 1 && isV6 ? 58 : said.proto === 58 && !isV6 ? 1 : said.proto }
  const port: [number, number] = [51_514, event.servicePort ?? 22]
  return { ...event, flows: event.flows.map((flow) => ({ ...flow, proto: event.proto, port })) }
}

const V6 = { actor: 'fe80::1', victims: { addresses: ['2001:db8::9', '2001:db8::a'], count: 2 } }

/** Every kind; the same in IPv6, over UDP, from many sources, towards more hosts than are named. */
const EVENTS: readonly AlertEvent[] = [
  ...SAMPLES.map((sample) => sample()),
  // Lines for ARP are of another form: arp.test.ts has them.
  ...[...Object.keys(KINDS).filter((kind) => !kind.endsWith('.arp')), 'no.such'].flatMap((kind) => [
    ofKind(kind),
    ofKind(kind, V6),
    ofKind(kind, { actor: 'many', victims: { addresses: [], count: 0 } }),
  ]),
  ofKind('exfil.volume', { proto: 17 }),
  ofKind('amp.victim', { proto: 6, servicePort: null }),
  { ...horizontalScan(), victims: { addresses: ['10.0.3.1'], count: 400 } },
]

/** The report's code blocks by what they are: a capture filter is missing where nothing is named. */
function linesOf(event: AlertEvent): { suricata: string; bpf: string | null; zeek: string; tshark: string | null } {
  const { markdown } = renderReport(makeAlertLine(event, ENVELOPE))
  const blocks = [...markdown.matchAll(/```\w*\n([\s\S]*?)\n```/g)].map((match) => match[1])
  const beginning = (word: string): string | undefined => blocks.find((block) => block.startsWith(word))
  const zeek = beginning('zeek-cut ') ?? ''
  const bpf = blocks[blocks.indexOf(zeek) - 1]
  return { suricata: beginning('alert ') ?? '', bpf: bpf?.startsWith('alert ') ? null : bpf, zeek, tshark: beginning('tshark ') ?? null }
}

/** Columns of Zeek's conn.log (base/protocols/conn/main.zeek, record Info). */
const CONN_LOG = new Set([
  ...['ts', 'uid', 'id.orig_h', 'id.orig_p', 'id.resp_h', 'id.resp_p', 'proto', 'service', 'duration', 'orig_bytes', 'resp_bytes'],
  ...['conn_state', 'local_orig', 'local_resp', 'missed_bytes', 'history', 'orig_pkts', 'orig_ip_bytes', 'resp_pkts', 'resp_ip_bytes'],
])

describe('lines to be copied', () => {
  test('every kind gives a rule that keeps the grammar', () => {
    for (const event of EVENTS) {
      const { suricata } = linesOf(event)
      expect(suricataFaults(suricata), suricata).toEqual([])
    }
  })

  test('the grammar notices what Suricata would refuse', () => {
    for (const rule of [
      'alert tcp any any -> any any (msg:"x"; sid:1; rev:1;)',
      'alert udp any any -> any 53 (msg:"x"; flags:S; classtype:network-scan; sid:1; rev:1;)',
      'alert icmp any any -> any 53 (msg:"x"; classtype:network-scan; sid:1; rev:1;)',
      'alert tcp 10.0.0.999 any -> any 22 (msg:"x"; classtype:network-scan; sid:1; rev:1;)',
      'alert tcp any any -> any 22 (msg:"x"; threshold:type both, track by_src, count 0, seconds 1; classtype:network-scan; sid:1; rev:1;)',
    ])
      expect(suricataFaults(rule), rule).not.toEqual([])
  })

  test('an upload is looked for by its size, not by a number of connections', () => {
    const { suricata } = linesOf(ofKind('exfil.volume'))
    expect(suricata).toContain('stream_size:client,>,50000000;')
    expect(suricata).not.toContain('count 10')
  })

  test('calls on a clock are waited for as long as they take', () => {
    expect(linesOf(ofKind('c2.beacon')).suricata).toContain('count 8, seconds 726;')
  })

  test("queries name columns of Zeek's conn.log, and a shell takes them", () => {
    for (const event of EVENTS) {
      const { zeek } = linesOf(event)
      const match = /^zeek-cut ([a-z_. ]+) < conn\.log( \| grep -wF '([0-9a-f.:]+)')?$/.exec(zeek)
      expect(match, zeek).not.toBeNull()
      for (const column of match?.[1].split(' ') ?? []) expect(CONN_LOG, zeek).toContain(column)
    }
    const all = EVENTS.map((event) => linesOf(event).zeek).join('\n')
    expect(spawnSync('sh', ['-n'], { input: all, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  })

  test.skipIf(!isInstalled('tcpdump'))('capture filters compile (needs tcpdump)', { timeout: 60_000 }, () => {
    const filters = new Set(EVENTS.map((event) => linesOf(event).bpf).filter((filter) => filter !== null))
    expect(filters.size).toBeGreaterThan(20)
    for (const filter of filters) {
      const run = spawnSync('tcpdump', ['-y', 'EN10MB', '-d', filter], { encoding: 'utf8' })
      expect(run.status, `${filter}: ${run.stderr}`).toBe(0)
    }
  })

  test.skipIf(!isInstalled('tshark'))('display filters are accepted (needs tshark)', { timeout: 120_000 }, () => {
    // An empty capture: the header of a classic pcap file, Ethernet.
    const folder = mkdtempSync(join(tmpdir(), 'flowscribe-tshark-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'empty.pcap')
    writeFileSync(path, Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex'))
    const filters = new Set<string>()
    for (const event of EVENTS) {
      const { tshark } = linesOf(event)
      const match = /^tshark -r pcaps\/nmap-syn\.pcap\.gz -Y '([^']+)'$/.exec(tshark ?? '')
      expect(match, tshark ?? 'no line').not.toBeNull()
      filters.add(match?.[1] ?? '')
    }
    // One start of tshark for all: it takes a second.
    const all = [...filters].map((filter) => `(${filter})`).join(' || ')
    const run = spawnSync('tshark', ['-r', path, '-Y', all], { encoding: 'utf8' })
    expect(run.status, run.stderr).toBe(0)
    const broken = spawnSync('tshark', ['-r', path, '-Y', `${all} || ip.addr == 10.0.0.999`], { encoding: 'utf8' })
    expect(broken.status).not.toBe(0)
  })

  test.skipIf(!isInstalled('suricata'))('rules load (needs suricata)', { timeout: 120_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'flowscribe-suricata-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const rules = EVENTS.map((event, i) => linesOf(event).suricata.replace(/sid:\d+/, `sid:${1_000_000 + i}`))
    writeFileSync(join(folder, 'all.rules'), `${rules.join('\n')}\n`)
    const run = spawnSync('suricata', ['-T', '-S', join(folder, 'all.rules'), '-l', folder], { encoding: 'utf8' })
    expect(run.status, `${run.stdout}${run.stderr}`).toBe(0)
  })

  test('a file name that a shell would not take as it is stays out', () => {
    for (const name of ["a'; rm -rf /", '-r', 'a b.pcap', '$(id)']) {
      const { markdown } = renderReport(makeAlertLine(verticalScan(), { ...ENVELOPE, pcap_filename: name }))
      expect(markdown).toContain('tshark -r CAPTURE -Y')
    }
  })
})
