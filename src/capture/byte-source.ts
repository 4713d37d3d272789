/**
 * Bytes of a capture file, plain or compressed, or of standard input.
 *
 * In:  a path, or '-' for standard input.
 * Out: `read` fills a caller's buffer; the compression is told by the first octets, never by the name.
 * Not: what the bytes mean. A compressed stream that breaks off throws `StreamDamage` after all that could be
 *      unpacked was read, so that everything before the fault is used.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import * as zlib from 'node:zlib'
import { RunError } from '../base/errors.ts'

/** A compressed stream that cannot be read further. */
export class StreamDamage extends Error {
  override readonly name = 'StreamDamage'
}

export interface ByteSource {
  /** Path as given, for messages. */
  readonly path: string
  /** Size on disk; null when it cannot be known (a pipe). */
  readonly totalBytes: number | null
  /** Bytes taken from the disk or pipe so far, for progress. */
  readonly doneBytes: number
  /** Reads up to `len` bytes to `into[at…]`; 0 at the end. Throws RunError (the world) or StreamDamage (the data). */
  read(into: Uint8Array, at: number, len: number): Promise<number>
  close(): Promise<void>
}

const GZIP_MAGIC = 0x1f8b
const ZSTD_MAGIC = 0x28b52ffd
const SNIFF_LEN = 4

export async function openBytes(path: string): Promise<ByteSource> {
  const raw = path === '-' ? new StreamSource('standard input', process.stdin) : await openFile(path)
  const head = new Uint8Array(SNIFF_LEN)
  let headLen = 0
  while (headLen < SNIFF_LEN) {
    const got = await raw.read(head, headLen, SNIFF_LEN - headLen)
    if (got === 0) break
    headLen += got
  }
  const sniffed = new HeadFirst(raw, head.subarray(0, headLen))
  if (headLen >= 2 && ((head[0] << 8) | head[1]) === GZIP_MAGIC) return unpack(sniffed, zlib.createGunzip())
  const magic = ((head[0] << 24) | (head[1] << 16) | (head[2] << 8) | head[3]) >>> 0
  if (headLen === SNIFF_LEN && magic === ZSTD_MAGIC) return unpack(sniffed, createZstd(raw.path))
  return sniffed
}

/** Node's zlib has zstd from 22.15 on; the type declarations of Node 20 do not know it. */
function createZstd(path: string): zlib.Gunzip {
  const factory = (zlib as { createZstdDecompress?: () => zlib.Gunzip }).createZstdDecompress
  if (factory === undefined) {
    throw new RunError(
      `${path}: zstd-compressed, which this Node (${process.version}) cannot unpack; use Node 22.15 or later, or unpack it with 'zstd -d'`,
    )
  }
  return factory()
}

async function openFile(path: string): Promise<ByteSource> {
  try {
    const handle = await open(path, 'r')
    const stat = await handle.stat()
    if (stat.isDirectory()) {
      await handle.close()
      throw new RunError(`${path}: is a directory, not a capture file`)
    }
    return new FileSource(path, handle, stat.isFile() ? stat.size : null)
  } catch (error) {
    throw worldFault(path, error)
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: 'no such file; check the path',
  EACCES: 'permission denied; make it readable for this user',
  EPERM: 'permission denied; make it readable for this user',
  EISDIR: 'is a directory, not a capture file',
  EMFILE: 'too many open files; raise the limit with ulimit -n',
}

function worldFault(path: string, error: unknown): RunError {
  if (error instanceof RunError) return error
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return new RunError(`${path}: ${REMEDIES[code] ?? `cannot be read (${code || String(error)})`}`)
}

class FileSource implements ByteSource {
  readonly path: string
  readonly totalBytes: number | null
  doneBytes = 0
  readonly #handle: FileHandle

  constructor(path: string, handle: FileHandle, totalBytes: number | null) {
    this.path = path
    this.#handle = handle
    this.totalBytes = totalBytes
  }

  async read(into: Uint8Array, at: number, len: number): Promise<number> {
    try {
      const { bytesRead } = await this.#handle.read(into, at, len, null)
      this.doneBytes += bytesRead
      return bytesRead
    } catch (error) {
      throw worldFault(`${this.path}: byte ${this.doneBytes}`, error)
    }
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

class StreamSource implements ByteSource {
  readonly path: string
  readonly totalBytes: number | null = null
  doneBytes = 0
  readonly #stream: Readable
  readonly #chunks: AsyncIterator<Uint8Array>
  #chunk: Uint8Array = new Uint8Array(0)
  #chunkAt = 0

  constructor(path: string, stream: Readable) {
    this.path = path
    this.#stream = stream
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  }

  async read(into: Uint8Array, at: number, len: number): Promise<number> {
    while (this.#chunkAt === this.#chunk.length) {
      const next = await this.#chunks.next()
      if (next.done === true) return 0
      this.#chunk = next.value
      this.#chunkAt = 0
    }
    const count = Math.min(len, this.#chunk.length - this.#chunkAt)
    into.set(this.#chunk.subarray(this.#chunkAt, this.#chunkAt + count), at)
    this.#chunkAt += count
    this.doneBytes += count
    return count
  }

  close(): Promise<void> {
    this.#stream.destroy()
    return Promise.resolve()
  }
}

/** Gives back the sniffed octets before the rest. */
class HeadFirst implements ByteSource {
  readonly #rest: ByteSource
  #head: Uint8Array

  constructor(rest: ByteSource, head: Uint8Array) {
    this.#rest = rest
    this.#head = head
  }

  get path(): string {
    return this.#rest.path
  }

  get totalBytes(): number | null {
    return this.#rest.totalBytes
  }

  get doneBytes(): number {
    return this.#rest.doneBytes
  }

  read(into: Uint8Array, at: number, len: number): Promise<number> {
    if (this.#head.length === 0) return this.#rest.read(into, at, len)
    const count = Math.min(len, this.#head.length)
    into.set(this.#head.subarray(0, count), at)
    this.#head = this.#head.subarray(count)
    return Promise.resolve(count)
  }

  close(): Promise<void> {
    return this.#rest.close()
  }
}

const UNPACK_CHUNK_LEN = 1 << 16

async function* chunksOf(source: ByteSource): AsyncGenerator<Buffer> {
  for (;;) {
    const chunk = Buffer.allocUnsafe(UNPACK_CHUNK_LEN)
    const got = await source.read(chunk, 0, chunk.length)
    if (got === 0) return
    yield chunk.subarray(0, got)
  }
}

function unpack(packed: ByteSource, unpacker: zlib.Gunzip): ByteSource {
  const input = Readable.from(chunksOf(packed), { objectMode: false })
  input.on('error', (error) => unpacker.destroy(error))
  return new UnpackedSource(packed, new StreamSource(packed.path, input.pipe(unpacker)))
}

class UnpackedSource implements ByteSource {
  readonly #packed: ByteSource
  readonly #stream: StreamSource

  constructor(packed: ByteSource, stream: StreamSource) {
    this.#packed = packed
    this.#stream = stream
  }

  get path(): string {
    return this.#packed.path
  }

  get totalBytes(): number | null {
    return this.#packed.totalBytes
  }

  get doneBytes(): number {
    return this.#packed.doneBytes
  }

  async read(into: Uint8Array, at: number, len: number): Promise<number> {
    try {
      return await this.#stream.read(into, at, len)
    } catch (error) {
      if (error instanceof RunError) throw error
      throw new StreamDamage(`the compressed stream is damaged (${(error as Error).message})`)
    }
  }

  async close(): Promise<void> {
    await this.#stream.close()
    await this.#packed.close()
  }
}
