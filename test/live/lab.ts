/**
 * Two network namespaces joined by a veth pair, a sender in one and the sensor in the other: where live capture is tested.
 *
 * Everything lies inside the namespaces and goes with them. Where this machine lacks something, `lackOfLab` says what.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

function sh(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(words[0], words.slice(1), { encoding: 'utf8', timeout: 60_000 })
}

function has(command: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, command)))
}

/** Why live capture cannot be tested here; '' when it can. */
export function lackOfLab(root = ROOT): string {
  if (process.platform !== 'linux') return 'network namespaces are of Linux'
  if (process.getuid?.() !== 0) return 'not root: no network namespaces'
  if (!has('ip')) return "no 'ip' (apt-get install iproute2)"
  if (!has('cc')) return 'no C compiler for the sender (apt-get install gcc)'
  if (!existsSync(join(root, 'build', 'ring.node'))) return 'the capture addon is not built'
  const name = `fs-try-${process.pid}`
  const made = sh('ip', 'netns', 'add', name)
  if (made.status !== 0) return `no network namespaces here: ${made.stderr.trim()}`
  sh('ip', 'netns', 'del', name)
  return ''
}

export interface Sent {
  frames: number
  seconds: number
}

export interface Ended {
  code: number | null
  signal: string | null
  stdout: string
  stderr: string
}

/** A running sensor. */
export class Sensor {
  readonly #child: ChildProcess
  readonly #ended: Promise<Ended>
  stderr = ''
  stdout = ''

  constructor(words: readonly string[]) {
    this.#child = spawn(words[0], words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child.stderr?.on('data', (text) => {
      this.stderr += text
    })
    this.#child.stdout?.on('data', (text) => {
      this.stdout += text
    })
    this.#ended = new Promise((resolve) =>
      this.#child.on('close', (code, signal) => resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })),
    )
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Waits until standard error holds `text` `times` times; false when it ends or ten seconds pass first. */
  async says(text: string, times = 1): Promise<boolean> {
    const deadline = performance.now() + 10_000
    while (this.stderr.split(text).length <= times) {
      if (!this.isRunning || performance.now() > deadline) return this.stderr.split(text).length > times
      await sleep(20)
    }
    return true
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  ended(): Promise<Ended> {
    return this.#ended
  }

  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.signal(name)
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), 15_000)
    const ended = await this.#ended
    clearTimeout(limit)
    return ended
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** In this process. */
let labs = 0

export class Lab {
  readonly folder = mkdtempSync(join(tmpdir(), 'flowscribe-live-'))
  readonly #sending: string
  /** The sensor's namespace. */
  readonly sensing: string
  readonly #sender = join(this.folder, 'send')
  readonly #sensors: Sensor[] = []
  #main: string

  /** @param root the project's folder */
  constructor(root = ROOT) {
    labs++
    this.#sending = `fs-${process.pid}-${labs}a`
    this.sensing = `fs-${process.pid}-${labs}b`
    this.#main = join(root, 'dist', 'main.js')
    const source = join(root, 'test', 'live', 'send.c')
    const built = sh('cc', '-std=c11', '-O2', '-Wall', '-Wextra', '-Wconversion', '-Werror', source, '-o', this.#sender)
    if (built.status !== 0) throw new Error(`send.c does not compile: ${built.stderr}`)
    for (const name of [this.#sending, this.sensing]) {
      this.#must('ip', 'netns', 'add', name)
      // Nobody but the tests may send here.
      this.#must('ip', 'netns', 'exec', name, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6')
    }
    this.addPair('v')
  }

  #must(...words: string[]): void {
    const { status, stderr } = sh(...words)
    if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`)
  }

  /** From now on another build is started: test/live/seams/. */
  useBuild(folder: string): void {
    this.#main = join(folder, 'main.js')
  }

  /** `${name}0` where is sent, `${name}1` where is listened. */
  addPair(name: string): void {
    this.#must(
      'ip',
      'link',
      'add',
      `${name}0`,
      'mtu',
      '9000',
      'netns',
      this.#sending,
      'type',
      'veth',
      'peer',
      'name',
      `${name}1`,
      'mtu',
      '9000',
      'netns',
      this.sensing,
    )
    this.#must('ip', '-n', this.#sending, 'link', 'set', `${name}0`, 'up', 'arp', 'off')
    this.#must('ip', '-n', this.sensing, 'link', 'set', `${name}1`, 'up', 'arp', 'off')
  }

  /** `ip link …` on the sensor's side. */
  link(...words: string[]): void {
    this.#must('ip', '-n', this.sensing, 'link', ...words)
  }

  /** Sends as send.c's arguments say; waits for the end. */
  send(device: string, ...words: string[]): Promise<Sent> {
    return this.#count(['ip', 'netns', 'exec', words[0] === 'inject' ? this.sensing : this.#sending, this.#sender, device, ...words])
  }

  /** The same on one core. */
  sendFrom(core: number, device: string, ...words: string[]): Promise<Sent> {
    const space = words[0] === 'inject' ? this.sensing : this.#sending
    return this.#count(['ip', 'netns', 'exec', space, 'taskset', '-c', String(core), this.#sender, device, ...words])
  }

  #count(words: string[]): Promise<Sent> {
    return new Promise((resolve, reject) => {
      const child = spawn(words[0], words.slice(1))
      let out = ''
      let err = ''
      child.stdout.on('data', (text) => {
        out += text
      })
      child.stderr.on('data', (text) => {
        err += text
      })
      child.on('close', (code) => {
        const [frames, seconds] = out.trim().split(' ').map(Number)
        if (code === 0) resolve({ frames, seconds })
        else reject(new Error(`send: ${err}`))
      })
    })
  }

  /** A command of flowscribe in the sensor's namespace, possibly after words such as `taskset -c 1`. */
  start(args: readonly string[], before: readonly string[] = []): Sensor {
    const sensor = new Sensor(['ip', 'netns', 'exec', this.sensing, ...before, process.execPath, this.#main, ...args])
    this.#sensors.push(sensor)
    return sensor
  }

  /** Any command in the sensor's namespace. */
  startCommand(words: readonly string[]): Sensor {
    const process = new Sensor(['ip', 'netns', 'exec', this.sensing, ...words])
    this.#sensors.push(process)
    return process
  }

  /** The same, until it captures. */
  async capture(args: readonly string[], before: readonly string[] = []): Promise<Sensor> {
    const sensor = this.start(['run', ...args], before)
    if (!(await sensor.says('"capturing"'))) throw new Error(`does not capture: ${sensor.stderr}`)
    return sensor
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  close(): void {
    for (const sensor of this.#sensors) if (sensor.isRunning) sensor.signal('SIGKILL')
    for (const name of [this.#sending, this.sensing]) sh('ip', 'netns', 'del', name)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The counts of a closing summary. */
export function countsOf(stderr: string): { captured: number; received: number; droppedByKernel: number } {
  const count = (what: string): number => Number(new RegExp(`^(\\d+) packets ${what}$`, 'm').exec(stderr)?.[1] ?? Number.NaN)
  return { captured: count('captured'), received: count('received by filter'), droppedByKernel: count('dropped by kernel') }
}

/** The digests of a live run's or a replay's closing summary. */
export function digestsOf(stderr: string): string[] {
  return [...stderr.matchAll(/\b(?:flows|alerts) +([0-9a-f]{64})\b/g)].map((match) => match[1])
}

/** CPU time that a process has used, in seconds. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
