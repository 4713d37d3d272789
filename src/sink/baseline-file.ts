/**
 * A baseline in a file: one line of JSON, then numbers, then histories, then a checksum over all of it.
 *
 *   {"format":1,"features":"acs-…",…,"arrays":[…],"historiesBytes":n}\n │ float64 little-endian … │ JSON │ SHA-256 (32 octets)
 *
 * In:  a snapshot, or a path. Out: a file that is whole at every moment (written beside its place, synced, moved there); a snapshot.
 * Not: a guess. A file that is torn, changed or of another feature set is refused with the reason, and left as it is.
 */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { RunError } from '../base/errors.ts'
import { printableCut } from '../base/printable.ts'
import { HISTORY_CELLS } from '../context/host-history.ts'
import { SERVED_HISTORY_CELLS } from '../context/served-history.ts'
import type { Snapshot, SnapshotHeader } from '../score/surprisal/snapshot.ts'
import { BASELINE_FEATURES, SNAPSHOT_FORMAT } from '../score/surprisal/snapshot.ts'
import { errorCode } from './write-fault.ts'

const CHECKSUM_LEN = 32
const NEWLINE = 0x0a
const NUMBER_LEN = 8
const HEADER_MAX = 65_536
/** A million hosts of histories; more is something else by mistake. */
const FILE_SIZE_MAX = 2 ** 30

interface FileHeader extends SnapshotHeader {
  arrays: number[]
  historiesBytes: number
  /** Version of the program that wrote it. */
  by: string
}

/** Why a file is no baseline that can be used; `isDamaged` when it once was one. */
export class BaselineFault extends RunError {
  readonly isDamaged: boolean
  constructor(message: string, isDamaged: boolean) {
    super(message)
    this.isDamaged = isDamaged
  }
}

export interface StoredBaseline {
  snapshot: Snapshot
  by: string
  bytes: number
}

export function encodeBaseline({ header, arrays, histories }: Snapshot, by: string): Buffer {
  const text = Buffer.from(JSON.stringify(histories))
  const head: FileHeader = { ...header, arrays: arrays.map((array) => array.length), historiesBytes: text.length, by }
  const body = Buffer.concat([
    Buffer.from(`${JSON.stringify(head)}\n`),
    ...arrays.map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength)),
    text,
  ])
  return Buffer.concat([body, createHash('sha256').update(body).digest()])
}

/** @throws RunError when it cannot be written; the file is then as it was. */
export function writeBaseline(path: string, bytes: Buffer): void {
  const beside = `${path}.new`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 })
    const fd = openSync(beside, 'w', 0o640)
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(beside, path)
    syncFolder(dirname(path))
  } catch (error) {
    rmSync(beside, { force: true })
    const why = errorCode(error) === 'ENOSPC' ? 'no space left on the device' : `${errorCode(error)}: check owner and mode of its folder`
    throw new RunError(`cannot write ${path} (${why})`, { cause: error })
  }
}

/** So that the new name outlives a power cut; not every file system lets a folder be synced. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } catch {
    // The data is safe; at worst the old file is found again.
  } finally {
    closeSync(fd)
  }
}

/** @throws RunError when it cannot be read, BaselineFault when it is none or of another kind. */
export function readBaseline(path: string): StoredBaseline {
  const bytes = readWhole(path)
  const fault = (why: string, isDamaged: boolean): BaselineFault => new BaselineFault(`${path}: ${why}`, isDamaged)
  const end = bytes.subarray(0, HEADER_MAX).indexOf(NEWLINE)
  const header = end < 0 ? null : headerOf(bytes.toString('utf8', 0, end))
  if (header === null) throw fault('not a baseline of flowscribe', true)
  // Said before anything else: whoever updated the program has a whole file that this version cannot use.
  if (header.format !== SNAPSHOT_FORMAT) {
    throw fault(
      `baseline of format ${header.format}, this version uses ${SNAPSHOT_FORMAT}: learn anew, or use the version that wrote it`,
      false,
    )
  }
  if (header.features !== BASELINE_FEATURES) {
    const got = printableCut(header.features, 40)
    throw fault(
      `baseline of feature set ${got}, this version uses ${BASELINE_FEATURES}: learn anew, or use the version that wrote it`,
      false,
    )
  }
  const numbers = header.arrays.reduce((sum, length) => sum + length, 0)
  const wanted = end + 1 + numbers * NUMBER_LEN + header.historiesBytes + CHECKSUM_LEN
  if (bytes.length !== wanted) throw fault(`damaged: ${bytes.length} bytes, where ${wanted} were written`, true)
  const body = bytes.subarray(0, -CHECKSUM_LEN)
  if (!createHash('sha256').update(body).digest().equals(bytes.subarray(-CHECKSUM_LEN))) throw fault('damaged: the checksum is wrong', true)
  const arrays = arraysOf(body, end + 1, header.arrays)
  const histories: unknown = JSON.parse(body.toString('utf8', end + 1 + numbers * NUMBER_LEN))
  if (!isHistories(histories) || arrays.some((array) => array.some((value) => !(value >= 0 && value < Number.MAX_VALUE)))) {
    throw fault('damaged: values that no baseline has', true)
  }
  const { arrays: _, historiesBytes, by, ...snapshotHeader } = header
  return { snapshot: { header: snapshotHeader, arrays, histories }, by, bytes: bytes.length }
}

function readWhole(path: string): Buffer {
  try {
    const fd = openSync(path, 'r')
    try {
      const stat = fstatSync(fd)
      if (!stat.isFile()) throw new RunError(`${path}: not a file`)
      if (stat.size > FILE_SIZE_MAX) throw new RunError(`${path}: ${stat.size} bytes are too many for a baseline`)
      return readFileSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (error instanceof RunError) throw error
    const code = errorCode(error)
    throw new RunError(`${path}: ${code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`}`)
  }
}

function headerOf(text: string): FileHeader | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  return isHeader(value) ? value : null
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
}

function isHeader(value: unknown): value is FileHeader {
  if (!isRecord(value) || !isCount(value.format) || typeof value.features !== 'string') return false
  // Of another format only these two are known.
  if (value.format !== SNAPSHOT_FORMAT || value.features !== BASELINE_FEATURES) return true
  const { lifeCycle, arrays } = value
  const hasCounts = ['takenSec', 'driftedCommits', 'votes', 'groups', 'hosts', 'pairs', 'historiesBytes'].every((key) =>
    isCount(value[key]),
  )
  if (!hasCounts || typeof value.state !== 'string' || typeof value.by !== 'string') return false
  if (!isRecord(lifeCycle) || !['watchedUs', 'commits', 'committedAtUs'].every((key) => isCount(lifeCycle[key]))) return false
  return typeof lifeCycle.isDrifting === 'boolean' && Array.isArray(arrays) && arrays.every(isCount)
}

function arraysOf(body: Buffer, from: number, lengths: readonly number[]): Float64Array<ArrayBuffer>[] {
  let at = from
  return lengths.map((length) => {
    const array = new Float64Array(length)
    new Uint8Array(array.buffer).set(body.subarray(at, at + length * NUMBER_LEN))
    at += length * NUMBER_LEN
    return array
  })
}

function isNumbers(value: unknown, length: number | null = null): boolean {
  return Array.isArray(value) && (length === null || value.length === length) && value.every((item) => typeof item === 'number')
}

function isHistories(value: unknown): value is Snapshot['histories'] {
  if (!isRecord(value) || !Array.isArray(value.hosts) || !Array.isArray(value.pairs) || !isNumbers(value.peers)) return false
  const isHost = (host: unknown): boolean =>
    isRecord(host) &&
    typeof host.address === 'string' &&
    isCount(host.firstHour) &&
    isCount(host.lastHour) &&
    isNumbers(host.cells, HISTORY_CELLS) &&
    isNumbers(host.ports)
  const isJob = (job: unknown): boolean => isRecord(job) && isCount(job.day) && isCount(job.hour) && isCount(job.bytes)
  const isPair = (pair: unknown): boolean =>
    isRecord(pair) &&
    typeof pair.key === 'string' &&
    ['firstDay', 'lastDay', 'days'].every((key) => isCount(pair[key])) &&
    Array.isArray(pair.jobs) &&
    pair.jobs.every(isJob)
  // An earlier version had neither servers nor noise.
  const servers = value.servers ?? []
  const noise = value.noise ?? []
  const isServer = (server: unknown): boolean =>
    isRecord(server) &&
    typeof server.address === 'string' &&
    isCount(server.firstHour) &&
    isCount(server.lastHour) &&
    isNumbers(server.cells, SERVED_HISTORY_CELLS)
  const isDay = (one: unknown): boolean => isRecord(one) && isCount(one.day) && isCount(one.sources)
  const isNoise = (one: unknown): boolean =>
    isRecord(one) && typeof one.prefix === 'string' && Array.isArray(one.days) && one.days.every(isDay)
  if (!Array.isArray(servers) || !servers.every(isServer) || !Array.isArray(noise) || !noise.every(isNoise)) return false
  return value.hosts.every(isHost) && value.pairs.every(isPair)
}
