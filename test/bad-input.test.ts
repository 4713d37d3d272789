/**
 * What the command line does with captures that are damaged, none, or in the way, and with outputs that fail: a clear line with place
 * and remedy, the right exit code, everything before the fault kept, no stack trace. By running the compiled program.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const pcaps = fileURLToPath(new URL('../pcaps', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'flowscribe-bad-'))
const scan = readFileSync(join(pcaps, 'scan-syn-nmap.pcap'))
const gz = readFileSync(join(pcaps, 'office-incident.pcap.gz'))
const isRoot = process.getuid?.() === 0

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function made(name: string, bytes: Uint8Array | string): string {
  writeFileSync(join(folder, name), bytes)
  return name
}

interface Outcome {
  status: number | null
  stdout: string
  stderr: string
}

function run(...args: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', cwd: folder, timeout: 20_000 })
  expect(stderr).not.toMatch(/^\s+at /m)
  return { status, stdout, stderr }
}

function rowsOf(csv: string): number {
  return csv.trimEnd().split('\n').length - 1
}

/** Whole records from the front: the offset of the first that does not fit. */
function wholeRecordsEnd(bytes: Buffer, limit: number): number {
  let at = 24
  for (let next = at; next + 16 <= limit; at = next) {
    next = at + 16 + bytes.readUInt32LE(at + 8)
    if (next > limit) break
  }
  return at
}

describe('a damaged capture is used up to its damage', () => {
  const cutAt = 100_000
  const place = wholeRecordsEnd(scan, cutAt)

  test('cut inside a record: the offset of the record, exit 0, 4 with --strict, the flows before it', () => {
    const name = made('cut.pcap', scan.subarray(0, cutAt))
    const whole = run('flows', '-q', made('whole.pcap', scan.subarray(0, place)))
    const cut = run('flows', '-q', name)
    expect(cut).toEqual({ status: 0, stdout: whole.stdout, stderr: `flowscribe: cut.pcap: byte ${place}: the file ends inside a record\n` })
    expect(rowsOf(cut.stdout)).toBeGreaterThan(500)
    expect(run('flows', '-q', '--strict', name).status).toBe(4)
    expect(run('flows', name).stderr).toContain(`damaged      cut.pcap: byte ${place}: the file ends inside a record\n`)
  })

  test('a record that claims more than can be', () => {
    const bytes = Buffer.from(scan)
    bytes.writeUInt32LE(0x7fffffff, place + 8)
    const { status, stdout, stderr } = run('flows', '-q', made('long.pcap', bytes))
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: `flowscribe: long.pcap: byte ${place}: damaged record: a captured length of 2147483647 octets, and 262144 is the most there can be\n`,
    })
    expect(rowsOf(stdout)).toBeGreaterThan(500)
  })

  test('a gzip stream that breaks off', () => {
    const { status, stderr } = run('replay', '-q', '-l', 'out-gz', made('cut.pcap.gz', gz.subarray(0, 500_000)))
    expect(status).toBe(0)
    expect(stderr).toMatch(
      /^flowscribe: cut\.pcap\.gz: byte \d+: the file ends inside a record; the compressed stream is damaged \(unexpected end of file\)\n$/,
    )
    expect(readFileSync(join(folder, 'out-gz', 'alerts.jsonl'), 'utf8')).toContain('"scan.vertical"')
  })
})

describe('what is no capture: exit 1, what was found there, earlier results untouched', () => {
  test.each([
    ['empty.pcap', '', 'byte 0: the file is empty; not a capture file'],
    ['text.pcap', 'hello\n', /^byte 0: not a capture file \(/],
    ['short.pcap', scan.subarray(0, 10), 'byte 10: the file ends inside the 24-octet pcap header; nothing can be read from it'],
    ['absent.pcap', null, 'no such file; check the path'],
  ])('%s', (name, bytes, message) => {
    if (bytes !== null) made(name, bytes)
    mkdirSync(join(folder, 'kept'), { recursive: true })
    writeFileSync(join(folder, 'kept', 'alerts.jsonl'), 'earlier\n')
    const { status, stdout, stderr } = run('replay', name, '-l', 'kept')
    expect({ status, stdout, lines: stderr.split('\n').length }).toEqual({ status: 1, stdout: '', lines: 2 })
    expect(stderr.startsWith(`flowscribe: ${name}: `)).toBe(true)
    expect(stderr.slice(`flowscribe: ${name}: `.length).trimEnd()).toEqual(
      typeof message === 'string' ? message : expect.stringMatching(message),
    )
    expect(readFileSync(join(folder, 'kept', 'alerts.jsonl'), 'utf8')).toBe('earlier\n')
  })

  test('a header and no packet is a capture', () => {
    const { status, stdout } = run('flows', '-q', made('header.pcap', scan.subarray(0, 24)))
    expect({ status, rows: rowsOf(stdout) }).toEqual({ status: 0, rows: 0 })
  })

  test.skipIf(!isRoot)('unreadable (skipped unless root: another user is needed to run as)', () => {
    made('secret.pcap', scan)
    chmodSync(join(folder, 'secret.pcap'), 0)
    chmodSync(folder, 0o755)
    const asNobody = spawnSync('setpriv', ['--reuid=65534', '--clear-groups', process.execPath, main, 'flows', 'secret.pcap'], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect({ status: asNobody.status, stderr: asNobody.stderr }).toEqual({
      status: 1,
      stderr: 'flowscribe: secret.pcap: permission denied; make it readable for this user\n',
    })
  })

  test('one bad input does not lose the others', () => {
    made('good.pcap', scan)
    const { status, stdout, stderr } = run('flows', '-q', made('text2.pcap', 'hello\n'), 'good.pcap')
    expect(status).toBe(1)
    expect(rowsOf(stdout)).toBe(1000)
    expect(stderr).toMatch(/^flowscribe: text2\.pcap: byte 0: not a capture file .*\n$/)
  })
})

describe('outputs that fail', () => {
  const name = made('scan.pcap', scan)

  test.skipIf(!existsSync('/dev/full'))('a full disk: exit 1 with the path and what to do (skipped without /dev/full)', () => {
    expect(run('flows', '-q', name, '-o', '/dev/full')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^flowscribe: cannot write \/dev\/full: no space left/),
    })
    const full = openSync('/dev/full', 'w')
    const { status, stderr } = spawnSync(process.execPath, [main, 'flows', '-q', name], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', full, 'pipe'],
    })
    closeSync(full)
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^flowscribe: cannot write standard output: no space left/),
    })
  })

  test('a file where the folder should be', () => {
    made('in-the-way', '')
    expect(run('replay', '-q', name, '-l', 'in-the-way')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^flowscribe: cannot write in-the-way/),
    })
  })

  test.skipIf(!isRoot)('a disk that fills up: the alert log ends with a whole line (skipped unless root: a small disk is mounted)', () => {
    const disk = join(folder, 'disk')
    mkdirSync(disk)
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', disk]).status).toBe(0)
    try {
      const { status, stderr } = run('replay', '-q', name, '-l', 'disk/out')
      expect({ status, stderr }).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^flowscribe: cannot write disk\/out\/.*no space left/),
      })
      const log = readFileSync(join(disk, 'out', 'alerts.jsonl'), 'utf8')
      for (const line of log.split('\n').filter(Boolean)) expect(() => JSON.parse(line)).not.toThrow()
      expect(log === '' || log.endsWith('\n')).toBe(true)
    } finally {
      spawnSync('umount', [disk])
    }
  })

  test('a reader that has enough: no complaint, exit 0', () => {
    const { status, stdout, stderr } = spawnSync(
      'sh',
      ['-c', `"$0" "$1" flows -q ${name} | head -n 1; exit "$?"`, process.execPath, main],
      { cwd: folder, encoding: 'utf8' },
    )
    expect({ status, stderr, lines: stdout.split('\n').length }).toEqual({ status: 0, stderr: '', lines: 2 })
  })
})

describe('signals', () => {
  /** A replay of a pipe that stays open after its packets. */
  async function waitingReplay(out: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, [main, 'replay', '-', '-l', out], { cwd: folder, stdio: ['pipe', 'ignore', 'pipe'] })
    // The child ends first: what it has not taken is lost, as it should be.
    child.stdin?.on('error', () => {})
    child.stdin?.write(gunzipSync(gz).subarray(0, 3_000_000))
    for (let i = 0; i < 100 && !existsSync(join(folder, out, 'alerts.jsonl')); i++) await new Promise((resolve) => setTimeout(resolve, 100))
    return child
  }

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s: what was read is judged and written, exit 0',
    async (signal) => {
      const child = await waitingReplay(`out-${signal}`)
      let said = ''
      child.stderr?.on('data', (text: Buffer) => {
        said += text.toString()
      })
      child.kill(signal)
      const [code] = await once(child, 'exit')
      expect(code).toBe(0)
      expect(said).toContain('interrupted')
      const log = readFileSync(join(folder, `out-${signal}`, 'alerts.jsonl'), 'utf8')
      expect(log.endsWith('\n')).toBe(true)
      expect(log).toContain('"close"')
    },
    30_000,
  )
})
