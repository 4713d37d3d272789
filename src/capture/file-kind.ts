/**
 * What a file is that is no capture we read, as far as its first octets tell: for a message that helps.
 *
 * In:  the first octets. Out: a name and a remedy, or '' when they tell nothing.
 * Not: a reader of any of these; and no guess from the file's name.
 */
import { u16, u32, u32le } from '../base/bytes.ts'

/** Octets that are enough for every kind here. */
export const KIND_LEN = 512

const CONVERT = "convert it with 'editcap -F pcap'"
const UNPACK = 'unpack it first'

interface Kind {
  magic: string
  /** Where the magic stands. */
  at?: number
  name: string
  remedy: string
}

const KINDS = [
  { magic: 'snoop\0\0\0', name: 'a Solaris snoop capture (RFC 1761)', remedy: CONVERT },
  { magic: 'btsnoop\0', name: 'a Bluetooth HCI log (btsnoop)', remedy: 'it holds no network packets' },
  { magic: 'iptrace 1.0', name: 'an AIX iptrace capture', remedy: CONVERT },
  { magic: 'iptrace 2.0', name: 'an AIX iptrace capture', remedy: CONVERT },
  { magic: 'RTSS', name: 'a Microsoft Network Monitor 1 capture', remedy: CONVERT },
  { magic: 'GMBU', name: 'a Microsoft Network Monitor 2 capture', remedy: CONVERT },
  { magic: 'TRSNIFF data', name: 'a Sniffer capture', remedy: CONVERT },
  { magic: 'XCP\0', name: 'a NetXray or Windows Sniffer capture', remedy: CONVERT },
  { magic: '\x1f\x8b', name: 'gzip inside gzip', remedy: 'unpack it once' },
  { magic: '\x28\xb5\x2f\xfd', name: 'zstd inside another compression', remedy: 'unpack it once' },
  { magic: '\xfd7zXZ\0', name: 'xz-compressed', remedy: `${UNPACK} with 'xz -d'` },
  { magic: 'BZh', name: 'bzip2-compressed', remedy: `${UNPACK} with 'bzip2 -d'` },
  { magic: '\x04\x22\x4d\x18', name: 'lz4-compressed', remedy: `${UNPACK} with 'lz4 -d'` },
  { magic: 'PK\x03\x04', name: 'a zip archive', remedy: UNPACK },
  { magic: '7z\xbc\xaf\x27\x1c', name: 'a 7-Zip archive', remedy: UNPACK },
  { magic: 'Rar!', name: 'a rar archive', remedy: UNPACK },
  { magic: 'ustar', at: 257, name: 'a tar archive', remedy: UNPACK },
  { magic: '\x7fELF', name: 'a program (ELF)', remedy: '' },
  { magic: 'MZ', name: 'a Windows program', remedy: '' },
  { magic: '%PDF', name: 'a PDF document', remedy: '' },
  { magic: '\x89PNG', name: 'a PNG picture', remedy: '' },
  { magic: '\xff\xd8\xff', name: 'a JPEG picture', remedy: '' },
  { magic: 'SQLite format 3', name: 'an SQLite database', remedy: '' },
] as const satisfies readonly Kind[]

/** @returns `a zip archive; unpack it first`, or '' */
export function nameFileKind(b: Uint8Array, start: number, len: number): string {
  const head = String.fromCharCode(...b.subarray(start, start + Math.min(len, KIND_LEN)))
  for (const { magic, name, remedy, ...place } of KINDS) {
    if (head.startsWith(magic, 'at' in place ? place.at : 0)) return remedy === '' ? name : `${name}; ${remedy}`
  }
  if (isErf(b, start, len)) return `an Endace ERF capture; ${CONVERT}`
  return nameText(head)
}

const TEXT = /^[\t\n\r\x20-\x7e\x80-\xff]+$/
const TEXT_LEN_MIN = 4

/** Whether the octets are text, as far as they go: no kind above, no control character. */
export function isText(b: Uint8Array, start: number, len: number): boolean {
  const head = String.fromCharCode(...b.subarray(start, start + Math.min(len, KIND_LEN)))
  return head.length >= TEXT_LEN_MIN && TEXT.test(head)
}

function nameText(head: string): string {
  const text = head.replace(/^\xef\xbb\xbf/, '')
  if (text.length < TEXT_LEN_MIN || !TEXT.test(text)) return ''
  const start = text.trimStart().toLowerCase()
  if (start.startsWith('<!doctype html') || start.startsWith('<html')) return 'an HTML page, perhaps the error page of a download'
  if (start.startsWith('<')) return 'an XML text'
  if (start.startsWith('{') || start.startsWith('[')) return 'a JSON text'
  return 'a text file'
}

const ERF_TYPE = 8
const ERF_LEN = 10
const ERF_HEADER_LEN = 16
const ERF_TYPE_MAX = 48
const ERF_LEN_MAX = 16_384
const YEAR_1995_SEC = 788_918_400
const YEAR_2100_SEC = 4_102_444_800

/** ERF has no magic number: a likely time (little-endian, seconds in the upper half), a known type, a length that fits. */
function isErf(b: Uint8Array, start: number, len: number): boolean {
  if (len < ERF_HEADER_LEN) return false
  const sec = u32le(b, start + 4)
  const type = b[start + ERF_TYPE] & 0x7f
  const recordLen = u16(b, start + ERF_LEN)
  const isTime = sec > YEAR_1995_SEC && sec < YEAR_2100_SEC
  return isTime && type >= 1 && type <= ERF_TYPE_MAX && recordLen >= ERF_HEADER_LEN && recordLen <= ERF_LEN_MAX && u32(b, start) !== 0
}
