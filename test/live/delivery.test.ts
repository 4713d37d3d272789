/**
 * What a live run delivers when the world does not play along: disks that are slow, full or broken, a kill, a server that is away.
 * What is sent is captured all the same, what is lost is counted, and it goes on when the world is well again.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { canMount } from '../sink/endings.ts'
import { freePort, RSYSLOGD, Rsyslog } from '../sink/rsyslog.ts'
import { countsOf, type Lab, type Sensor, sleep } from './lab.ts'
import { PCAPS, useLab } from './use-lab.ts'

const scan = join(PCAPS, 'scan-syn-nmap.pcap')
let lab: Lab
const { newOut } = useLab((made) => {
  lab = made
  // A flush that takes as long as told.
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror', slowDiskSource(), '-o', lab.path('slow-disk.so'), '-ldl'])
})

function slowDiskSource(): string {
  return fileURLToPath(new URL('slow-disk.c', import.meta.url))
}

/** Loopback is down in a new namespace. */
async function capture(args: readonly string[], before: readonly string[] = []): Promise<Sensor> {
  lab.link('set', 'lo', 'up')
  // Rows leave soon, so that alerts come soon.
  const soon = ['--set', 'flow.idle_tcp_new_s=1', '--set', 'flow.idle_tcp_closed_s=1']
  return await lab.capture(['-i', 'v1', ...soon, ...args], before)
}

/** What is told of the scan: it opens, grows, and closes at the end. */
const EVENTS = ['open', 'update', 'update', 'update', 'update', 'close']
const scanNow = () => lab.send('v0', 'file', scan, 'top')
const linesOf = (path: string): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [''])

/** Waits for what must become true within ten seconds. */
async function until(what: () => boolean | Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    if (await what()) return true
    await sleep(100)
  }
  return false
}

/** A page of the sensor, from inside its namespace. */
function page(sensor: Sensor, listen: string, path: string): { status: number; body: string } {
  const script = `fetch('http://${listen}${path}').then(async (r) => console.log(JSON.stringify({ status: r.status, body: await r.text() })), () => console.log('{"status":0,"body":""}'))`
  const { stdout } = spawnSync('nsenter', ['-t', String(sensor.pid), '-n', process.execPath, '-e', script], { encoding: 'utf8' })
  return JSON.parse(stdout) as { status: number; body: string }
}

function metric(body: string, name: string): number {
  const line = body.split('\n').find((found) => found.startsWith(`${name} `))
  return Number(line?.slice(name.length + 1) ?? Number.NaN)
}

/** Whole lines of JSON, each an alert of ours, and nothing after the last newline. */
function expectWhole(path: string): number {
  const lines = linesOf(path)
  expect(lines.pop()).toBe('')
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ event_type: 'alert' })
  return lines.length
}

describe('a disk that does not play along', () => {
  test('flushes that take two seconds each: no packet lost, signals and pages answered, all written in the end', async () => {
    const folder = newOut()
    const listen = `127.0.0.1:${await freePort()}`
    const preload = ['env', `LD_PRELOAD=${lab.path('slow-disk.so')}`, 'SLOW_MS=2000']
    const sensor = await capture(['-l', folder, '--set', `metrics.listen=${listen}`, '--set', 'output.reports=false'], preload)
    const first = await scanNow()
    // The scan's alert is on its way to the disk, and the disk takes its time.
    expect(await until(() => metric(page(sensor, listen, '/metrics').body, 'flowscribe_sink_queue_length{sink="alerts"}') > 0)).toBe(true)
    const flood = await lab.send('v0', 'flood', '50000', '2', '1000')
    const start = performance.now()
    sensor.signal('SIGUSR1')
    expect(await sensor.says('"statistics"')).toBe(true)
    expect(page(sensor, listen, '/healthz')).toEqual({ status: 200, body: 'ok\n' })
    expect(performance.now() - start).toBeLessThan(1900)
    const { code, stderr } = await sensor.stop()
    expect({ code, ...countsOf(stderr) }).toMatchObject({ code: 0, captured: first.frames + flood.frames, droppedByKernel: 0 })
    expect(expectWhole(join(folder, 'alerts.jsonl'))).toBeGreaterThanOrEqual(EVENTS.length)
  }, 60_000)

  test('a 50 MB alert file: appended to at once, nothing lost', async () => {
    const folder = newOut()
    mkdirSync(folder)
    const path = join(folder, 'alerts.jsonl')
    const line = `${JSON.stringify({ event_type: 'alert', pad: 'x'.repeat(50_000) })}\n`
    writeFileSync(path, line.repeat(1000))
    const before = statSync(path).size
    const sensor = await capture(['-l', folder])
    const { frames } = await scanNow()
    expect(await until(() => statSync(path).size > before)).toBe(true)
    const flood = await lab.send('v0', 'flood', '50000', '1', '1000')
    const { code, stderr } = await sensor.stop()
    expect({ code, ...countsOf(stderr) }).toMatchObject({ code: 0, captured: frames + flood.frames, droppedByKernel: 0 })
    expect(expectWhole(path)).toBeGreaterThanOrEqual(1000 + EVENTS.length)
  }, 60_000)

  test('a device that reports errors (EIO): said once, the run goes on, and what waited is written when it is well', async () => {
    const folder = newOut()
    const broken = lab.path('broken')
    writeFileSync(broken, '')
    const preload = ['env', `LD_PRELOAD=${lab.path('slow-disk.so')}`, `FAIL=${broken}`]
    const sensor = await capture(['-l', folder], preload)
    await scanNow()
    expect(await sensor.says('the device reports an error: check the disk')).toBe(true)
    // What may not be on the disk is taken back, so that it is not there twice later.
    expect(await until(() => statSync(join(folder, 'alerts.jsonl')).size === 0)).toBe(true)
    rmSync(broken)
    expect(await sensor.says('takes again what comes; 0 lost meanwhile')).toBe(true)
    const { code, stderr } = await sensor.stop()
    expect(code).toBe(0)
    expect(stderr.split('the device reports an error').length).toBe(2)
    expect(expectWhole(join(folder, 'alerts.jsonl'))).toBe(EVENTS.length)
    expect(readdirSync(join(folder, 'reports')).length).toBe(1)
  }, 60_000)
})

describe('a disk that is full, and a reader that is gone', () => {
  test.skipIf(!canMount)(
    'a full disk: the run goes on, says so once, and writes what waited when there is room (needs mount)',
    async () => {
      const folder = newOut()
      mkdirSync(folder)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'none', folder])
      try {
        const listen = `127.0.0.1:${await freePort()}`
        const sensor = await capture(['-l', folder, '--set', `metrics.listen=${listen}`])
        const ballast = join(folder, 'ballast')
        spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4k'])
        const path = join(folder, 'alerts.jsonl')
        const { frames } = await scanNow()
        expect(await sensor.says('no space left on the device')).toBe(true)
        expect(readFileSync(path, 'utf8')).toBe('')
        const { body } = page(sensor, listen, '/metrics')
        expect(metric(body, 'flowscribe_sink_up{sink="alerts"}')).toBe(0)
        expect(metric(body, 'flowscribe_sink_queue_length{sink="alerts"}')).toBe(EVENTS.length - 1)
        expect(metric(body, 'flowscribe_log_dir_free_bytes')).toBe(0)
        expect(metric(body, 'flowscribe_up')).toBe(1)
        // Room for some, then for all.
        truncateSync(ballast, statSync(ballast).size - 8192)
        await sleep(1500)
        rmSync(ballast)
        expect(await sensor.says('takes again what comes')).toBe(true)
        expect(await until(() => existsSync(join(folder, 'reports')) && readdirSync(join(folder, 'reports')).length > 0)).toBe(true)
        const { code, stderr } = await sensor.stop()
        expect({ code, ...countsOf(stderr) }).toMatchObject({ code: 0, captured: frames })
        expect(expectWhole(path)).toBe(EVENTS.length)
      } finally {
        execFileSync('umount', ['-l', folder])
      }
    },
    60_000,
  )

  test.skipIf(!canMount)(
    'a disk that stays full: what does not fit is counted, and the end says what was lost (needs mount)',
    async () => {
      const folder = newOut()
      mkdirSync(folder)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder])
      try {
        const sensor = await capture(['-l', folder])
        spawnSync('dd', ['if=/dev/zero', `of=${join(folder, 'ballast')}`, 'bs=4k'])
        await scanNow()
        expect(await sensor.says('no space left on the device')).toBe(true)
        const start = performance.now()
        const { code, stderr } = await sensor.stop()
        expect(performance.now() - start).toBeLessThan(10_000)
        expect(stderr).toMatch(/^flowscribe: 6 alert lines were not written to .*alerts\.jsonl before the end$/m)
        expect(stderr).toMatch(/^2006 packets captured$/m)
        expect(code).toBe(1)
      } finally {
        execFileSync('umount', ['-l', folder])
      }
    },
    60_000,
  )

  test('a pipe that nobody reads does not hold the end up', async () => {
    const folder = newOut()
    mkdirSync(folder)
    const path = join(folder, 'alerts.jsonl')
    execFileSync('mkfifo', [path])
    const sensor = await capture(['-l', folder])
    // Fills the pipe: 64 KiB.
    const filling = spawnSync('timeout', ['1', 'dd', 'if=/dev/zero', `of=${path}`, 'bs=4k', 'count=17'])
    expect(filling.status).not.toBe(0)
    await scanNow()
    await sleep(3500)
    const start = performance.now()
    const { code, signal, stderr } = await sensor.stop()
    expect(performance.now() - start).toBeLessThan(10_000)
    expect(stderr).toContain('alert lines were not written to')
    // A thread that hangs in the kernel can only be killed.
    expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' })
  }, 60_000)
})

describe('a run that is killed', () => {
  test('kill -9: whole lines stay, a torn one is cut off at the next start and said', async () => {
    const folder = newOut()
    const path = join(folder, 'alerts.jsonl')
    const first = await capture(['-l', folder])
    await scanNow()
    expect(await until(() => linesOf(path).length === EVENTS.length)).toBe(true)
    await first.stop('SIGKILL')
    expect(expectWhole(path)).toBe(EVENTS.length - 1)
    writeFileSync(path, '{"event_type":"ale', { flag: 'a' })
    const second = await capture(['-l', folder])
    expect(await second.says('a torn last line was cut off alerts.jsonl')).toBe(true)
    expect((await second.stop()).code).toBe(0)
    expect(expectWhole(path)).toBe(EVENTS.length - 1)
  }, 60_000)

  test('each batch is flushed before the next, and one flush is for the whole batch (strace)', async (context) => {
    context.skip(spawnSync('strace', ['-V']).status !== 0, "no 'strace'")
    const folder = newOut()
    const trace = lab.path('trace')
    const strace = ['strace', '-f', '-qq', '-y', '-e', 'trace=write,pwrite64,fsync,fdatasync', '-o', trace]
    const sensor = await capture(['-l', folder, '--set', 'output.reports=false'], strace)
    await scanNow()
    expect(await until(() => linesOf(join(folder, 'alerts.jsonl')).length >= EVENTS.length)).toBe(true)
    // strace passes no signal on: its child is told.
    for (const pid of readFileSync(`/proc/${sensor.pid}/task/${sensor.pid}/children`, 'utf8').trim().split(' '))
      process.kill(Number(pid), 'SIGTERM')
    expect((await sensor.ended()).code).toBe(0)
    const calls = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => line.includes('/alerts.jsonl>'))
      .map((line) => /(p?write(?:64)?|fdatasync|fsync)\(/.exec(line)?.[1] ?? '')
    // What is told in one go, and the close.
    expect(calls).toEqual(['write', 'fdatasync', 'write', 'fdatasync'])
    expect(expectWhole(join(folder, 'alerts.jsonl'))).toBe(EVENTS.length)
  }, 60_000)
})

describe('pages and servers', () => {
  test('metrics during a run pass promtool and hold what was sent; readiness names the interface that is down', async (context) => {
    lab.addPair('y')
    const listen = `127.0.0.1:${await freePort()}`
    const sensor = await capture(['-i', 'y1', '-l', newOut(), '--set', `metrics.listen=${listen}`])
    const { frames } = await scanNow()
    expect(await until(() => metric(page(sensor, listen, '/metrics').body, 'flowscribe_packets_captured_total') === frames)).toBe(true)
    expect(await until(() => metric(page(sensor, listen, '/metrics').body, 'flowscribe_sink_delivered_total{sink="reports"}') > 0)).toBe(
      true,
    )
    const { body } = page(sensor, listen, '/metrics')
    expect(metric(body, 'flowscribe_capture_packets_received_total{interface="v1"}')).toBe(frames)
    expect(metric(body, 'flowscribe_capture_packets_received_total{interface="y1"}')).toBe(0)
    expect(Math.abs(metric(body, 'flowscribe_capture_last_packet_timestamp_seconds{interface="v1"}') - Date.now() / 1000)).toBeLessThan(30)
    expect(body).not.toContain('last_packet_timestamp_seconds{interface="y1"}')
    expect(body).toMatch(/^flowscribe_alerts_total{class="scan.vertical",severity="\w+"} 1$/m)
    expect(page(sensor, listen, '/readyz')).toEqual({ status: 200, body: 'ready\n' })
    lab.link('set', 'y1', 'down')
    expect(await sensor.says('interface is down')).toBe(true)
    expect(page(sensor, listen, '/readyz')).toMatchObject({ status: 503, body: expect.stringMatching(/^y1: down/) })
    lab.link('set', 'y1', 'up')
    // A second sensor cannot have the same port.
    const second = await lab.start(['run', '-i', 'v1', '-l', newOut(), '--set', `metrics.listen=${listen}`]).ended()
    expect(second).toMatchObject({ code: 1, stderr: expect.stringMatching(/^flowscribe: cannot listen at .*: the port is taken[^\n]*\n$/) })
    expect((await sensor.stop()).code).toBe(0)
    context.skip(spawnSync('promtool', ['--version']).status !== 0, 'no promtool (apt-get install prometheus)')
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' })
    expect({ status: checked.status, said: checked.stdout + checked.stderr }).toEqual({ status: 0, said: '' })
  }, 60_000)

  test.skipIf(RSYSLOGD === '')(
    'HUP puts metrics, syslog and report limits in force; a bad configuration changes nothing (Debian: rsyslog)',
    async () => {
      const folder = newOut()
      const config = lab.path('delivery.yaml')
      writeFileSync(config, '')
      const sensor = await capture(['-l', folder, '-c', config])
      // The sensor's namespace is not ours: rsyslog must be in it.
      const server = new Rsyslog(lab.path('rsyslog'), await freePort())
      await server.start(['nsenter', '-t', String(sensor.pid), '-n'])
      try {
        const listen = `127.0.0.1:${await freePort()}`
        writeFileSync(config, `metrics: {listen: "${listen}"}\nsyslog: {target: "127.0.0.1:${server.port}"}\noutput: {reports_max: 1}\n`)
        sensor.signal('SIGHUP')
        expect(await sensor.says('files opened anew')).toBe(true)
        expect(page(sensor, listen, '/healthz').status).toBe(200)
        writeFileSync(config, 'metrics: {listen: "nowhere"}\n')
        sensor.signal('SIGHUP')
        expect(await sensor.says('configuration not changed')).toBe(true)
        expect(await sensor.says('files opened anew', 2)).toBe(true)
        expect(metric(page(sensor, listen, '/metrics').body, 'flowscribe_config_last_reload_successful')).toBe(0)
        renameSync(join(folder, 'alerts.jsonl'), join(folder, 'alerts.old'))
        sensor.signal('SIGHUP')
        expect(await sensor.says('files opened anew', 3)).toBe(true)
        await scanNow()
        const [message] = await server.received(1)
        expect(message).toMatchObject({ app: 'flowscribe', sd: expect.stringContaining('kind="scan.vertical"') })
        expect((await sensor.stop()).code).toBe(0)
        expect((await server.received(EVENTS.length)).map(({ sd }) => /event="(\w+)"/.exec(sd)?.[1])).toEqual(EVENTS)
        expect(expectWhole(join(folder, 'alerts.jsonl'))).toBe(EVENTS.length)
        expect(readFileSync(join(folder, 'alerts.old'), 'utf8')).toBe('')
      } finally {
        await server.stop('SIGKILL')
      }
    },
    60_000,
  )
})
