/**
 * `flowscribe doctor`: a clean capture is fit; each fault, put into it by hand, is named, and no other.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { defaultsOf } from '../../src/base/option.ts'
import { LOSS, LOSS_LEN } from '../../src/capture/slab.ts'
import { diagnose, FAULTS, type Patient } from '../../src/doctor/faults.ts'
import { Observer, type OwnAddresses } from '../../src/doctor/observation.ts'
import { tableLimits } from '../../src/flow/limits.ts'
import { FLOW_OPTIONS } from '../../src/flow/options.ts'
import { concat } from '../base/hex.ts'
import { temporaryFile } from '../capture/read-capture.ts'
import { type Frame, pcapFile, slabsOf } from '../capture/records.ts'
import * as faulty from './faulty-captures.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const LIMITS = { ...tableLimits(defaultsOf(FLOW_OPTIONS)), maxFlows: 8192 }
let clean: Frame[] = []

beforeAll(async () => {
  clean = await faulty.cleanFrames()
})

function examine(frames: readonly Frame[], rest: Partial<Patient> = {}, own: OwnAddresses | null = null, linkType = 1) {
  const observer = new Observer(LIMITS, own)
  for (const slab of slabsOf(frames, linkType, 500)) observer.take(slab)
  const observation = observer.finish()
  return diagnose({ observation, device: 'eth1', isLive: own !== null, isPromiscuous: null, damage: [], ...rest })
}

const namesOf = (found: readonly { id: string; severity: string }[]): string[] => found.map(({ id, severity }) => `${severity} ${id}`)

test('a clean capture has nothing', () => {
  expect(examine(clean)).toEqual([])
})

describe('one fault, that fault and no other', () => {
  const CASES: readonly [string, (frames: readonly Frame[]) => readonly Frame[], string[]][] = [
    ['one direction only', faulty.oneDirection, ['fault one-direction']],
    ['every packet twice', faulty.doubled, ['fault duplicates']],
    ['a VLAN tag on one side', faulty.taggedOneWay, ['fault vlan-on-one-side']],
    ['segments merged by receive offload', faulty.merged, ['fault receive-offload']],
    ['loss before the host', faulty.thinned, ['fault loss-before-host']],
    ['payload cut off', (frames) => faulty.cutTo(frames, 96), ['note cut-short']],
    ['headers cut off', (frames) => faulty.cutTo(frames, 48), ['fault cut-short', 'note little-seen']],
    ['the clock set back', (frames) => faulty.setBack(frames, 3600), ['fault clock-set-back']],
    ['packets damaged on the way', faulty.damagedOnTheWay, ['fault wrong-checksums']],
    ['checksums not filled in', faulty.beforeTheCard, ['note empty-checksums']],
    ['packets out of order', faulty.shuffled, ['note disorder']],
    ['wrappers that are opened', (frames) => faulty.wrapped(frames, true), ['note wrappers']],
    ['wrappers that are not', (frames) => faulty.wrapped(frames, false), ['fault wrapper-not-read', 'note little-seen']],
    ['no mirror port at all', faulty.multicastOnly, ['fault no-mirror', 'note little-seen']],
    ['no traffic', () => [], ['fault no-traffic']],
    ['too little to tell', (frames) => frames.slice(0, 40), ['note little-seen']],
  ]
  test.each(CASES)('%s', (_, break_, expected) => {
    const found = examine(break_(clean))
    expect(namesOf(found), JSON.stringify(found, null, 1)).toEqual(expected)
    for (const { cures, text } of found) {
      expect(cures.length).toBeGreaterThan(0)
      expect(text).toMatch(/\d|not a single/)
    }
  })

  test('a link type that is not read', () => {
    expect(namesOf(examine(clean, {}, null, 147))).toEqual(['fault link-type-unknown', 'note little-seen'])
  })

  test('only this host’s own traffic', () => {
    // The office's gateway-side host speaks with all others in none of its frames: take one conversation's own end.
    const own = clean.filter(
      ({ bytes }) => bytes[12] === 8 && bytes[13] === 0 && [26, 30].some((at) => bytes.subarray(at, at + 4).join('.') === '10.20.1.12'),
    )
    expect(own.length).toBeGreaterThan(20)
    const found = examine(own, {}, [[0, 0, 0xffff, (10 << 24) | (20 << 16) | (1 << 8) | 12]])
    expect(namesOf(found).filter((name) => name.startsWith('fault'))).toEqual(['fault own-traffic-only'])
  })

  test('loss by kernel and interface, as loss records tell it', () => {
    const observer = new Observer(LIMITS, null)
    for (const slab of slabsOf(clean, 1, 500)) observer.take(slab)
    const record = Buffer.alloc(16 + LOSS_LEN)
    record.writeUInt32LE(clean[clean.length - 1].sec, 0)
    record.writeUInt32LE(LOSS_LEN, 8)
    record.writeUInt32LE(LOSS, 12)
    record.writeBigUInt64LE(5000n, 16)
    record.writeBigUInt64LE(400n, 24)
    observer.take({ bytes: record, start: 0, end: record.length, linkType: 1, interfaceId: 0 })
    const patient = { observation: observer.finish(), device: 'eth1', isLive: true, isPromiscuous: true, damage: [] }
    expect(namesOf(diagnose(patient))).toEqual(['fault loss-in-kernel'])
    const { seen } = patient.observation
    const byInterface = { ...patient.observation, seen: { ...seen, lostByKernel: 0, lostByInterface: 7 } }
    expect(namesOf(diagnose({ ...patient, observation: byInterface }))).toEqual(['fault loss-in-interface'])
  })

  test('promiscuous mode off', () => {
    expect(namesOf(examine(clean, { isPromiscuous: false }))).toEqual(['fault promiscuous-off'])
  })

  test('every fault of the table is produced by a case here', () => {
    const source = [
      ...CASES.flatMap(([, , names]) => names),
      'link-type-unknown',
      'own-traffic-only',
      'loss-in-kernel',
      'loss-in-interface',
      'promiscuous-off',
      'damaged-file',
      'malformed',
    ]
    expect(FAULTS.map(({ id }) => id).filter((id) => !source.some((name) => name.endsWith(id)))).toEqual([])
  })

  test('headers that contradict themselves', () => {
    const broken = clean.map((frame, i) =>
      i % 10 === 0 ? { ...frame, bytes: frame.bytes.map((octet, at) => (at === 14 ? 0x41 : octet)) } : frame,
    )
    expect(namesOf(examine(broken))).toContain('note malformed')
  })
})

describe('as a command', { timeout: 60_000 }, () => {
  function doctor(...words: string[]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'doctor', ...words], { encoding: 'utf8', timeout: 30_000 })
    return { status, stdout, stderr }
  }

  test('fit: exit 0', () => {
    const { status, stdout, stderr } = doctor(temporaryFile(pcapFile(clean)))
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(
      /capture\.pcap: fit to judge from\nlooked at [\d,]+ frames over .*; (\d+) TCP connections with data, \1 of them in both/,
    )
  })

  test('not fit: exit 5, numbers and cure; as JSON for scripts', () => {
    const path = temporaryFile(pcapFile(faulty.oneDirection(clean)))
    const { status, stdout } = doctor(path)
    expect(status).toBe(5)
    expect(stdout).toContain('NOT fit to judge from')
    expect(stdout).toMatch(/^fault {2}one-direction: \d+ of \d+ TCP connections with data \(\d+ %\) were seen in one direction only$/m)
    expect(stdout).toMatch(/^ +cure: on the switch, mirror both directions/m)
    const json = JSON.parse(doctor('--json', path).stdout)
    expect(json).toMatchObject({
      isFit: false,
      found: [{ id: 'one-direction', severity: 'fault', measured: { oneDirection: expect.any(Number) } }],
    })
  })

  test('the output that src/doctor/README.md shows', () => {
    const readme = readFileSync(new URL('../../src/doctor/README.md', import.meta.url), 'utf8')
    const half = temporaryFile(pcapFile(faulty.oneDirection(clean)))
    expect(readme).toContain(doctor(half).stdout.replace(half, 'half.pcap').trimEnd())
    const { stdout } = spawnSync(process.execPath, [main, 'doctor', 'pcaps/office-incident.pcap.gz'], { encoding: 'utf8', cwd: root })
    expect(readme).toContain(stdout.trimEnd())
  })

  test('a damaged file is named with its place', () => {
    const bytes = pcapFile(clean)
    const { status, stdout } = doctor(temporaryFile(concat(bytes.subarray(0, bytes.length - 10))))
    expect(status).toBe(5)
    expect(stdout).toMatch(/^fault {2}damaged-file: .*byte \d+/m)
  })

  test('nonsense is refused in one line', () => {
    expect(doctor()).toMatchObject({ status: 2, stderr: expect.stringContaining('name an interface (-i IF) or capture files') })
    expect(doctor('-i', 'lo', '--for', 'ever')).toMatchObject({ status: 2, stderr: expect.stringContaining("option --for: got 'ever'") })
    expect(doctor('no-such-file')).toMatchObject({ status: 1, stderr: expect.stringContaining('no-such-file') })
  })

  test('an interface that is not there is a fault like any other', () => {
    const { status, stdout } = doctor('-i', 'no-such-if', '--for', '1s')
    expect(status).toBe(5)
    expect(stdout).toMatch(/^fault {2}(no-such-interface|no-capture-addon|no-privileges): /m)
  })
})
