/** Lines that a report gives to be copied: held to the tools they are for, where those are installed. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeAlertLine } from '../../src/explain/alert-line.ts'
import { renderReport } from '../../src/explain/report.ts'
import type { AlertEvent } from '../../src/score/evidence.ts'
import { ENVELOPE, horizontalScan, SAMPLES, verticalScan } from './alert-samples.ts'

function isInstalled(tool: string): boolean {
  return spawnSync(tool, ['--version'], { stdio: 'ignore' }).error === undefined
}

/** The same in IPv6, over UDP, from many sources, towards more hosts than are named. */
const EVENTS: readonly AlertEvent[] = [
  ...SAMPLES.map((sample) => sample()),
  { ...verticalScan(), proto: 17, flows: verticalScan().flows.map((flow) => ({ ...flow, proto: 17 })) },
  {
    ...verticalScan(),
    actor: 'fe80::1',
    victims: { addresses: ['2001:db8::9', '2001:db8::a'], count: 2 },
    flows: verticalScan().flows.map((flow) => ({ ...flow, addr: ['fe80::1', '2001:db8::9'] })),
  },
  { ...horizontalScan(), actor: 'many', victims: { addresses: ['10.0.3.1'], count: 1 } },
  { ...horizontalScan(), proto: 1, flows: horizontalScan().flows.map((flow) => ({ ...flow, proto: 1, port: [8, 0] })) },
]

/** The report's code blocks, in order: Suricata, capture filter, Zeek, tshark. */
function blocksOf(event: AlertEvent): string[] {
  const { markdown } = renderReport(makeAlertLine(event, ENVELOPE))
  return [...markdown.matchAll(/```\w*\n([\s\S]*?)\n```/g)].map((match) => match[1])
}

describe('lines to be copied', () => {
  test.skipIf(!isInstalled('tcpdump'))('capture filters compile (needs tcpdump)', () => {
    for (const event of EVENTS) {
      const [, filter] = blocksOf(event)
      const run = spawnSync('tcpdump', ['-y', 'EN10MB', '-d', filter], { encoding: 'utf8' })
      expect(run.status, `${filter}: ${run.stderr}`).toBe(0)
    }
  })

  test.skipIf(!isInstalled('tshark'))('display filters are accepted (needs tshark)', () => {
    // An empty capture: the header of a classic pcap file, Ethernet.
    const folder = mkdtempSync(join(tmpdir(), 'flowscribe-tshark-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'empty.pcap')
    writeFileSync(path, Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex'))
    for (const event of EVENTS) {
      const shellLine = blocksOf(event)[3]
      expect(shellLine).toMatch(/^tshark -r pcaps\/nmap-syn\.pcap\.gz -Y '[^']+'$/)
      const run = spawnSync('sh', ['-c', shellLine.replace('pcaps/nmap-syn.pcap.gz', path)], { encoding: 'utf8' })
      expect(run.status, `${shellLine}: ${run.stderr}`).toBe(0)
    }
  })

  test.skipIf(!isInstalled('suricata'))('rules load (needs suricata)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'flowscribe-suricata-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const rules = EVENTS.map((event, i) => blocksOf(event)[0].replace(/sid:\d+/, `sid:${1_000_000 + i}`))
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
