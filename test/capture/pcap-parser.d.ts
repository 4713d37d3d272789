/** What of pcap-parser the tests use; the package has no types. */
declare module 'pcap-parser' {
  import type { EventEmitter } from 'node:events'
  import type { Readable } from 'node:stream'

  export interface ParsedPacket {
    header: { timestampSeconds: number; timestampMicroseconds: number; capturedLength: number; originalLength: number }
    data: Buffer
  }

  /** Emits 'packet', 'error' and 'end'. */
  export function parse(input: string | Readable): EventEmitter
}
