/**
 * Compiles the live capture addon with the system's C compiler: run by setup.mjs, or `node src/capture/native/build.mjs [SANITIZED]`.
 *
 * In:  the C files beside this one, libpcap's headers, Node-API's headers (npm's node-api-headers, or Node's own).
 * Out: build/ring.node, made only when a source or the compiler's command changed; what is missing, as Debian's package names.
 *      With a file's name: the build that AddressSanitizer watches, for tests, there.
 * Not: node-gyp, which would download headers from elsewhere. Node-API is stable, so one build serves every Node from 20 on.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = dirname(fileURLToPath(import.meta.url))
const ROOT = dirname(dirname(dirname(HERE)))
const SOURCES = ['ring.c', 'handle.c', 'handle.h', 'notify.c', 'notify.h', 'build.mjs']
const COMPILERS = process.env.CC ? [process.env.CC] : ['cc', 'gcc', 'clang']

const WARNINGS = ['-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Wstrict-prototypes', '-Wformat=2', '-Werror']
const HARDENING = ['-fstack-protector-strong', '-D_FORTIFY_SOURCE=2']
const LINKING = { linux: ['-shared', '-Wl,-z,relro,-z,now,-z,noexecstack'], darwin: ['-bundle', '-undefined', 'dynamic_lookup'] }
/** The sanitizer build for tests: the same sources and warnings. */
const SANITIZING = ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-fno-omit-frame-pointer', '-g', '-O1']

const ADDON_FILE = join(ROOT, 'build', 'ring.node')
const STAMP_FILE = join(ROOT, 'build', 'ring.stamp')

function inPath(command) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, command)))
}

function findCompiler() {
  return COMPILERS.find((command) => (command.includes('/') ? existsSync(command) : inPath(command))) ?? null
}

export function hasPcapHeaders() {
  const folders = ['/usr/include', '/usr/local/include', '/opt/homebrew/include', ...(process.env.CPATH ?? '').split(delimiter)]
  return folders.some((folder) => folder !== '' && existsSync(join(folder, 'pcap', 'pcap.h')))
}

/** node-api-headers lies in our own node_modules, or beside us when we are installed as a package. */
function findNodeHeaders() {
  const folders = [
    join(ROOT, 'node_modules', 'node-api-headers', 'include'),
    join(dirname(ROOT), 'node-api-headers', 'include'),
    join(dirname(dirname(process.execPath)), 'include', 'node'),
  ]
  return folders.find((folder) => existsSync(join(folder, 'node_api.h'))) ?? null
}

/** What the machine lacks, as what to install. */
export function missingForRing() {
  const missing = findCompiler() === null ? ['gcc', 'libc6-dev'] : []
  if (!hasPcapHeaders()) missing.push('libpcap-dev')
  return missing
}

function command(output, extra) {
  const sources = SOURCES.filter((name) => name.endsWith('.c')).map((name) => join(HERE, name))
  const linking = LINKING[process.platform] ?? LINKING.linux
  // -isystem: the warnings are for our own sources.
  const headers = ['-isystem', findNodeHeaders() ?? '']
  return [
    '-std=c11',
    '-O2',
    '-fPIC',
    '-fvisibility=hidden',
    ...WARNINGS,
    ...extra,
    ...headers,
    ...linking,
    ...sources,
    '-o',
    output,
  ].concat('-lpcap', '-lpthread')
}

function digest() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${findCompiler()}\n`)
  for (const name of SOURCES) hash.update(`${name}\n`).update(readFileSync(join(HERE, name)))
  return hash.digest('hex')
}

function readStamp() {
  try {
    return readFileSync(STAMP_FILE, 'utf8')
  } catch {
    return ''
  }
}

/** What stands in the way of a build: '' when nothing does. */
function obstacle() {
  const missing = missingForRing()
  if (missing.length > 0) return `sudo apt-get install ${missing.join(' ')}; npm start`
  return findNodeHeaders() === null ? 'npm ci (it brings node-api-headers); npm start' : ''
}

/** Whether `buildRing` would do or say anything new. */
export function isRingCurrent() {
  const why = obstacle()
  return readStamp() === (why === '' ? digest() : why) && (why !== '' || existsSync(ADDON_FILE))
}

/**
 * @returns '' when the addon is there; else why not, as the command that cures it or the compiler's words
 */
export function buildRing() {
  mkdirSync(dirname(ADDON_FILE), { recursive: true })
  const why = obstacle()
  if (why !== '') {
    writeFileSync(STAMP_FILE, why)
    return why
  }
  const fresh = `${ADDON_FILE}.${process.pid}`
  const result = compileTo(fresh, HARDENING)
  if (result !== '') {
    rmSync(fresh, { force: true })
    return result
  }
  renameSync(fresh, ADDON_FILE)
  writeFileSync(STAMP_FILE, digest())
  return ''
}

function compileTo(output, extra) {
  const result = spawnSync(findCompiler() ?? 'cc', command(output, extra), { encoding: 'utf8' })
  return result.status === 0 ? '' : (result.stderr || String(result.error ?? 'the compiler failed')).trim()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sanitized = process.argv[2]
  const why = sanitized === undefined ? buildRing() : obstacle() || compileTo(sanitized, SANITIZING)
  if (why !== '') process.stderr.write(`live capture is not available: ${why}\n`)
  process.exitCode = why === '' ? 0 : 1
}
