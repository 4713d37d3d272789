/**
 * The formats of flow records that something else metered, told by what is in them: one row a format.
 *
 * In:  the names of a record's columns or keys. Out: which format has such names.
 * Not: what the columns mean: features/records/.
 */

export interface RecordFormat {
  name: RecordFormatName
  what: string
  /** A record is of this format when for each entry it has at least one of the names. Lower case. */
  has: readonly (readonly string[])[]
}

export const RECORD_FORMAT_NAMES = ['cic', 'netflow', 'nfdump', 'zeek', 'flowscribe'] as const
export type RecordFormatName = (typeof RECORD_FORMAT_NAMES)[number]

/** The first that fits is it. */
export const RECORD_FORMATS = [
  { name: 'zeek', what: "Zeek's conn.log, TSV or JSON", has: [['id.orig_h'], ['id.resp_h'], ['proto']] },
  {
    name: 'nfdump',
    what: "nfdump's -o csv or -o json",
    has: [
      ['sa', 'srcaddr', 'src4_addr', 'src6_addr'],
      ['da', 'dstaddr', 'dst4_addr', 'dst6_addr'],
      ['ipkt', 'packets', 'in_packets', 'pkt'],
    ],
  },
  { name: 'flowscribe', what: "flowscribe's own --format jsonl", has: [['duration_us'], ['fwd_packets']] },
  {
    name: 'cic',
    what: "CICFlowMeter's CSV, of any edition",
    has: [['flow duration'], ['tot fwd pkts', 'total fwd packets', 'total fwd packet']],
  },
  {
    name: 'netflow',
    what: 'CSV or JSON with NetFlow field names (IN_PKTS, IN_BYTES, L4_DST_PORT …)',
    has: [
      ['in_pkts', 'in_bytes'],
      ['l4_dst_port', 'l4_src_port'],
    ],
  },
] as const satisfies readonly RecordFormat[]

export function formatOfNames(names: readonly string[]): RecordFormatName | null {
  const known = new Set(names.map((name) => name.trim().toLowerCase()))
  const found = RECORD_FORMATS.find(({ has }) => has.every((group) => group.some((name) => known.has(name))))
  return found?.name ?? null
}
