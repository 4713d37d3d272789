/**
 * Set-up from a fresh clone, then the sensor or its tests: what `npm start` and `npm test` run.
 *
 * In:  the first argument says what for: start, test, build, prepare or install; the rest goes on to flowscribe or vitest.
 * Out: libpcap's headers, node_modules/, dist/ and build/ring.node, each made only when missing or stale, one line a step on
 *      standard error; then flowscribe in this same process, so that its signals, exit code and standard input
 *      are the caller's own.
 * Not: dependencies of its own (nothing is installed yet), and no network but the registries of npm and apt.
 *
 * Every step may be killed half-way and run again: what is unfinished is recognised by what it leaves last
 * (npm's node_modules/.package-lock.json, our dist/.stamp).
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildRing, hasPcapHeaders, isRingCurrent, missingForRing } from './capture/native/build.mjs'

const NODE_MIN = [20, 19]
const APT_TIMEOUT_MS = 180_000
/** Left out of `npm test`; npm run test:live runs them. */
const LONG_TESTS = 'test/live/*.test.ts'
/** A test that spawns programs is slow on a busy machine; one that hangs ends all the same. */
const TEST_TIMEOUT_MS = 60_000
const LINES_SHOWN_MAX = 20
const BUNDLED_CAPTURE = 'pcaps/office-incident.pcap.gz'
/** Set for the npm that we call, so that its `prepare` does not do our work a second time. */
const NESTED = 'FLOWSCRIBE_SETUP'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const inRoot = (...parts) => join(root, ...parts)

/** Set-up cannot go on; the text says what to do. */
class SetupError extends Error {}

function say(text) {
  process.stderr.write(`${text}\n`)
}

/** Runs one step and prints its name and the time it took on one line. */
function step(name, work) {
  const start = process.hrtime.bigint()
  // On a terminal the name stands there while the work goes on.
  if (process.stderr.isTTY) process.stderr.write(`set-up: ${name} …`)
  const note = work()
  const seconds = (Number(process.hrtime.bigint() - start) / 1e9).toFixed(1)
  const line = `set-up: ${name}${note ? `: ${note}` : ''} (${seconds} s)\n`
  process.stderr.write(process.stderr.isTTY ? `\r${line}` : line)
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}

function isWritable(path) {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function findCommand(name) {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.some((folder) => folder !== '' && existsSync(join(folder, name)))
}

/** The end of what a failed command said: compilers sum up there. */
function tail(result) {
  if (result.error) return String(result.error.message)
  const lines = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim().split('\n')
  return lines.slice(-LINES_SHOWN_MAX).join('\n')
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return
  throw new SetupError(`Node ${NODE_MIN.join('.')} or later is needed, this is ${process.versions.node}`)
}

// ---- compiler and libpcap's headers: live capture needs them, replay never does ----

function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=60', ...args], {
    env,
    encoding: 'utf8',
    timeout: APT_TIMEOUT_MS,
    stdio: 'pipe',
  })
}

function installForCapture() {
  const install = () => apt('install', '-y', '--no-install-recommends', ...missingForRing())
  if (install().status === 0) return ''
  // A new machine's package lists are empty or old: fetch them and try once more.
  apt('update')
  return install().status === 0 ? '' : 'apt-get could not install them'
}

/** Tries to provide what compiling live capture takes; never fails, since nothing else needs it. */
function ensureHeaders() {
  const missing = missingForRing()
  if (missing.length > 0 && process.platform === 'linux' && process.getuid?.() === 0 && findCommand('apt-get')) {
    step(`for live capture: ${missing.join(', ')}`, installForCapture)
  }
}

/** Our own addon for live capture; never fails, since replay does without. */
function ensureRing() {
  if (isRingCurrent()) return
  ensureHeaders()
  let why = ''
  step('live capture', () => {
    why = buildRing()
    return why === '' ? '' : 'not available'
  })
  if (why !== '') say(`set-up: live capture is not available, replay is. For live capture: ${why}`)
}

// ---- npm's packages ----

const STAMP_FILE = inRoot('node_modules', '.flowscribe-setup.json')

/** Why node_modules/ cannot be used as it is; '' when it can. */
function dependencyFault() {
  const wanted = readJson(inRoot('package-lock.json'))
  const present = readJson(inRoot('node_modules', '.package-lock.json'))
  if (present === null) return 'missing'
  for (const [path, entry] of Object.entries(wanted?.packages ?? {})) {
    if (path === '' || entry.optional || entry.peer) continue
    if (present.packages?.[path]?.version !== entry.version || !existsSync(inRoot(path, 'package.json'))) return `${path} is not as locked`
  }
  if (!isLockCurrent()) return 'package.json has changed'
  const stamp = readJson(STAMP_FILE)
  if (stamp !== null && stamp.modules !== process.versions.modules) return 'native packages were built for another Node'
  if (stamp !== null && !stamp.headers && hasPcapHeaders()) return "libpcap's headers have come"
  return ''
}

/** package-lock.json repeats what package.json asks for: `npm ci` refuses when they differ. */
function isLockCurrent() {
  const asked = readJson(inRoot('package.json'))
  const locked = readJson(inRoot('package-lock.json'))?.packages?.['']
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies']
  const inOrder = (table) => JSON.stringify(Object.entries(table ?? {}).sort())
  return kinds.every((kind) => inOrder(asked?.[kind]) === inOrder(locked?.[kind]))
}

/** The environment for the npm that we call from inside an npm script. */
function npmEnvironment() {
  const env = { ...process.env, [NESTED]: '1' }
  // A global install that runs our `prepare` must not make this inner one global too.
  for (const name of ['npm_config_global', 'npm_config_location', 'npm_config_local_prefix', 'npm_config_omit', 'npm_config_dry_run'])
    delete env[name]
  // Node's own headers, where Node has brought them: node-gyp would download them from elsewhere.
  env.npm_config_nodedir ??= dirname(dirname(process.execPath))
  const cache = env.npm_config_cache ?? join(homedir(), '.npm')
  const isCacheUsable = isWritable(cache) || (!existsSync(cache) && isWritable(dirname(cache)))
  if (!isCacheUsable) env.npm_config_cache = inRoot('.npm-cache')
  return env
}

function runNpm(args) {
  const options = { cwd: root, env: npmEnvironment(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 }
  const cli = process.env.npm_execpath ?? ''
  // The npm that called us, not another one that PATH may hold.
  if (basename(cli) === 'npm-cli.js') return spawnSync(process.execPath, [cli, ...args], options)
  return spawnSync('npm', args, options)
}

function isLink(path) {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

/** npm says first what is wrong, and ends with its usage. */
function npmComplaint(result) {
  if (result.error) return String(result.error.message)
  const lines = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim().split('\n')
  return `${lines.slice(0, LINES_SHOWN_MAX).join('\n')}\nThe registry must be within reach for this step; then run the same command again.`
}

function installDependencies(fault) {
  // npm writes this file last: without it a killed install is seen as unfinished.
  rmSync(inRoot('node_modules', '.package-lock.json'), { force: true })
  const headers = hasPcapHeaders()
  const flags = ['--include=dev', '--include=optional', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  let result = isLockCurrent() ? runNpm(['ci', ...flags]) : runNpm(['install', ...flags])
  // A mirror that lacks other platforms' optional packages makes npm think that the lock does not fit.
  if (result.status !== 0 && result.stderr?.includes('EUSAGE')) result = runNpm(['install', '--no-save', ...flags])
  if (result.status !== 0) throw new SetupError(`npm failed to install (node_modules: ${fault}):\n${npmComplaint(result)}`)
  writeFileSync(STAMP_FILE, JSON.stringify({ headers, modules: process.versions.modules }))
  return existsSync(inRoot('node_modules', 'cap')) ? '' : "without 'cap', the portable driver, which could not be built"
}

function ensureDependencies() {
  const fault = dependencyFault()
  if (fault === '') return
  if (isLink(inRoot('node_modules'))) {
    say(`set-up: node_modules is a link to another place and left as it is (${fault})`)
    return
  }
  // The headers first: `cap` is built while npm installs it.
  ensureHeaders()
  step('dependencies', () => installDependencies(fault))
}

// ---- TypeScript to dist/ ----

function listSources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return listSources(path)
    return entry.name.endsWith('.ts') ? [path] : []
  })
}

/** Changes when anything does that dist/ is made from. Contents, not times: a checkout touches every file. */
function sourceDigest() {
  const hash = createHash('sha256')
  const bundler = readJson(inRoot('node_modules', 'rolldown', 'package.json'))?.version
  const compiler = readJson(inRoot('node_modules', 'typescript', 'package.json'))?.version
  hash.update(`rolldown ${bundler}, typescript ${compiler}\n`)
  for (const path of [inRoot('src', 'bundle.mjs'), inRoot('tsconfig.json'), ...listSources(inRoot('src')).sort()]) {
    hash
      .update(`${path.slice(root.length)}\n`)
      .update(readFileSync(path))
      .update('\n')
  }
  return hash.digest('hex')
}

function readStamp() {
  try {
    return readFileSync(inRoot('dist', '.stamp'), 'utf8')
  } catch {
    return ''
  }
}

/** Folders of builds that were killed; a build still alive keeps its own. */
function removeAbandonedBuilds() {
  for (const name of readdirSync(root)) {
    const pid = /^dist\.tmp-(\d+)$/.exec(name)?.[1]
    if (pid === undefined) continue
    try {
      process.kill(Number(pid), 0)
    } catch (error) {
      if (error.code === 'ESRCH') rmSync(inRoot(name), { recursive: true, force: true })
    }
  }
}

function runTool(failure, args) {
  const result = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (result.status !== 0) throw new SetupError(`${failure}:\n${tail(result)}`)
}

/** Builds beside dist/ and then swaps: a failed or killed build leaves the last good one. */
function compile(digest) {
  removeAbandonedBuilds()
  const fresh = inRoot(`dist.tmp-${process.pid}`)
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh)
  const tsc = inRoot('node_modules', 'typescript', 'bin', 'tsc')
  try {
    runTool('the TypeScript compiler failed', [tsc, '--noEmit', '-p', inRoot('tsconfig.json')])
    const entries = [
      'main.ts',
      'live/metering-worker.ts',
      'live/writing-worker.ts',
      'live/slicing-worker.ts',
      'live/recording-worker.ts',
    ].map((name) => inRoot('src', name))
    runTool('building dist/ failed', [inRoot('src', 'bundle.mjs'), fresh, ...entries])
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    throw error
  }
  chmodSync(join(fresh, 'main.js'), 0o755)
  writeFileSync(join(fresh, '.stamp'), digest)
  rmSync(inRoot('dist'), { recursive: true, force: true })
  renameSync(fresh, inRoot('dist'))
  return ''
}

function ensureBuild() {
  const digest = sourceDigest()
  if (readStamp() !== digest) step('TypeScript to dist/', () => compile(digest))
}

// ---- what to do with it ----

function setUp() {
  checkNode()
  ensureDependencies()
  ensureBuild()
  ensureRing()
}

/** npm runs this after installing the checkout's own dependencies, and when it packs or links the checkout. */
function prepare() {
  if (process.env[NESTED]) return
  const isGlobal = process.env.npm_config_global === 'true'
  if (isGlobal) ensureDependencies()
  if (existsSync(inRoot('node_modules', 'rolldown'))) buildOrSay(isGlobal)
  // `npm ci --omit=dev` has no bundler: what an earlier build left is used.
  else if (!existsSync(inRoot('dist', 'main.js')))
    say('set-up: not compiled: development dependencies were left out; npm start brings them')
}

/** npm runs this after installing us as a package, compiled or not: the addon is made on the machine that it is for. */
function install() {
  if (process.env[NESTED] === undefined) ensureRing()
}

/** Sources that do not compile are no reason for a plain `npm ci` to fail: whoever works on them wants the packages. */
function buildOrSay(mustSucceed) {
  try {
    ensureBuild()
  } catch (error) {
    if (mustSucceed || !(error instanceof SetupError)) throw error
    say(`set-up: ${error.message}`)
  }
}

async function start(args) {
  setUp()
  let passed = args
  if (args.length === 0) {
    process.chdir(root)
    say(
      `\nflowscribe: replaying the bundled capture ${BUNDLED_CAPTURE} (your own: npm start -- replay FILE; all commands: npm start -- --help)\n`,
    )
    passed = ['replay', BUNDLED_CAPTURE]
  } else if (process.env.INIT_CWD && existsSync(process.env.INIT_CWD)) {
    // npm runs scripts in the project's folder; file arguments mean the folder where the user stands.
    process.chdir(process.env.INIT_CWD)
  }
  const main = inRoot('dist', 'main.js')
  process.argv = [process.execPath, main, ...passed]
  await import(pathToFileURL(main).href)
}

function test(args) {
  setUp()
  // Minutes of waiting for real servers, timers and ends: a command of their own (npm run test:live), which .ci/run calls as well.
  const isAskedFor = args.some((arg) => arg.includes('test/live'))
  const exclude = isAskedFor ? [] : [`--exclude=${LONG_TESTS}`]
  const child = spawn(
    process.execPath,
    [inRoot('node_modules', 'vitest', 'vitest.mjs'), 'run', `--testTimeout=${TEST_TIMEOUT_MS}`, ...exclude, ...args],
    { cwd: root, stdio: 'inherit' },
  )
  // A terminal sends its interrupt to vitest as well, so this process only waits; other signals are passed on.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 1
  })
}

const [task, ...rest] = process.argv.slice(2)
try {
  if (task === 'start') await start(rest)
  else if (task === 'test') test(rest)
  else if (task === 'build') setUp()
  else if (task === 'prepare') prepare()
  else if (task === 'install') install()
  else throw new SetupError('usage: node src/setup.mjs start|test|build|prepare|install [arguments]')
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  say(`set-up: ${error.message}`)
  process.exitCode = 1
}
