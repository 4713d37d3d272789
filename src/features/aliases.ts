/**
 * What a column is called elsewhere: from any dialect's spelling to our name.
 *
 * In:  a header cell of a CICFlowMeter CSV (today's, the data sets' of 2018 and 2017, pandas' of a doubled column), of a NetFlow record,
 *      or one of our own names; blanks around it and case do not matter.
 * Out: the feature or identifying field that it is, and what one of its units is in ours.
 * Not: what the old versions put under a name: meanings changed while names stayed (FEATURES.md section 8).
 */

import { FEATURES } from './features.ts'
import { IDENTITY } from './identity.ts'
import { WINDOW_COLUMNS } from './netflow.ts'

/** Today's name, that of CSE-CIC-IDS2018 (to February 2020), that of CICIDS2017; columns that never changed are not here. */
export const CIC_SPELLINGS: readonly (readonly [head: string, y2018: string, y2017: string])[] = [
  ['Src IP', 'Src IP', 'Source IP'],
  ['Src Port', 'Src Port', 'Source Port'],
  ['Dst IP', 'Dst IP', 'Destination IP'],
  ['Dst Port', 'Dst Port', 'Destination Port'],
  ['Total Fwd Packet', 'Tot Fwd Pkts', 'Total Fwd Packets'],
  ['Total Bwd packets', 'Tot Bwd Pkts', 'Total Backward Packets'],
  ['Total Length of Fwd Packet', 'TotLen Fwd Pkts', 'Total Length of Fwd Packets'],
  ['Total Length of Bwd Packet', 'TotLen Bwd Pkts', 'Total Length of Bwd Packets'],
  ['Fwd Packet Length Max', 'Fwd Pkt Len Max', 'Fwd Packet Length Max'],
  ['Fwd Packet Length Min', 'Fwd Pkt Len Min', 'Fwd Packet Length Min'],
  ['Fwd Packet Length Mean', 'Fwd Pkt Len Mean', 'Fwd Packet Length Mean'],
  ['Fwd Packet Length Std', 'Fwd Pkt Len Std', 'Fwd Packet Length Std'],
  ['Bwd Packet Length Max', 'Bwd Pkt Len Max', 'Bwd Packet Length Max'],
  ['Bwd Packet Length Min', 'Bwd Pkt Len Min', 'Bwd Packet Length Min'],
  ['Bwd Packet Length Mean', 'Bwd Pkt Len Mean', 'Bwd Packet Length Mean'],
  ['Bwd Packet Length Std', 'Bwd Pkt Len Std', 'Bwd Packet Length Std'],
  ['Flow Bytes/s', 'Flow Byts/s', 'Flow Bytes/s'],
  ['Flow Packets/s', 'Flow Pkts/s', 'Flow Packets/s'],
  ['Fwd IAT Total', 'Fwd IAT Tot', 'Fwd IAT Total'],
  ['Bwd IAT Total', 'Bwd IAT Tot', 'Bwd IAT Total'],
  ['Fwd Header Length', 'Fwd Header Len', 'Fwd Header Length'],
  ['Bwd Header Length', 'Bwd Header Len', 'Bwd Header Length'],
  ['Fwd Packets/s', 'Fwd Pkts/s', 'Fwd Packets/s'],
  ['Bwd Packets/s', 'Bwd Pkts/s', 'Bwd Packets/s'],
  ['Packet Length Min', 'Pkt Len Min', 'Min Packet Length'],
  ['Packet Length Max', 'Pkt Len Max', 'Max Packet Length'],
  ['Packet Length Mean', 'Pkt Len Mean', 'Packet Length Mean'],
  ['Packet Length Std', 'Pkt Len Std', 'Packet Length Std'],
  ['Packet Length Variance', 'Pkt Len Var', 'Packet Length Variance'],
  ['FIN Flag Count', 'FIN Flag Cnt', 'FIN Flag Count'],
  ['SYN Flag Count', 'SYN Flag Cnt', 'SYN Flag Count'],
  ['RST Flag Count', 'RST Flag Cnt', 'RST Flag Count'],
  ['PSH Flag Count', 'PSH Flag Cnt', 'PSH Flag Count'],
  ['ACK Flag Count', 'ACK Flag Cnt', 'ACK Flag Count'],
  ['URG Flag Count', 'URG Flag Cnt', 'URG Flag Count'],
  ['CWR Flag Count', 'CWE Flag Count', 'CWE Flag Count'],
  ['ECE Flag Count', 'ECE Flag Cnt', 'ECE Flag Count'],
  ['Average Packet Size', 'Pkt Size Avg', 'Average Packet Size'],
  ['Fwd Segment Size Avg', 'Fwd Seg Size Avg', 'Avg Fwd Segment Size'],
  ['Bwd Segment Size Avg', 'Bwd Seg Size Avg', 'Avg Bwd Segment Size'],
  ['Fwd Bytes/Bulk Avg', 'Fwd Byts/b Avg', 'Fwd Avg Bytes/Bulk'],
  ['Fwd Packet/Bulk Avg', 'Fwd Pkts/b Avg', 'Fwd Avg Packets/Bulk'],
  ['Fwd Bulk Rate Avg', 'Fwd Blk Rate Avg', 'Fwd Avg Bulk Rate'],
  ['Bwd Bytes/Bulk Avg', 'Bwd Byts/b Avg', 'Bwd Avg Bytes/Bulk'],
  ['Bwd Packet/Bulk Avg', 'Bwd Pkts/b Avg', 'Bwd Avg Packets/Bulk'],
  ['Bwd Bulk Rate Avg', 'Bwd Blk Rate Avg', 'Bwd Avg Bulk Rate'],
  ['Subflow Fwd Packets', 'Subflow Fwd Pkts', 'Subflow Fwd Packets'],
  ['Subflow Fwd Bytes', 'Subflow Fwd Byts', 'Subflow Fwd Bytes'],
  ['Subflow Bwd Packets', 'Subflow Bwd Pkts', 'Subflow Bwd Packets'],
  ['Subflow Bwd Bytes', 'Subflow Bwd Byts', 'Subflow Bwd Bytes'],
  ['FWD Init Win Bytes', 'Init Fwd Win Byts', 'Init_Win_bytes_forward'],
  ['Bwd Init Win Bytes', 'Init Bwd Win Byts', 'Init_Win_bytes_backward'],
  ['Fwd Act Data Pkts', 'Fwd Act Data Pkts', 'act_data_pkt_fwd'],
  ['Fwd Seg Size Min', 'Fwd Seg Size Min', 'min_seg_size_forward'],
  // The corrected tool's own earlier name, in its editions of both data sets.
  ['Total Connection Flow Time', 'Total TCP Flow Time', 'Total TCP Flow Time'],
]

/** What pandas makes of CICIDS2017's column 62, which has the name of column 41. */
const PANDAS_DOUBLE = { spelling: 'Fwd Header Length.1', head: 'Fwd Header Length' }

/** Columns that a foreign file has and that nothing is made of. */
const IGNORED = ['Label', 'Flow ID', 'Attempted Category'] as const

export interface KnownColumn {
  /** Our name of a feature, of an identifying field or of a windowed feature; null: a column to be left out. */
  name: string | null
  kind: 'feature' | 'identity' | 'window' | 'ignored'
  /** One of the column's units in ours: 1000 for ms where we have µs. */
  unit: number
}

/** null for a spelling that nobody uses. */
export function columnNamed(spelling: string): KnownColumn | null {
  return COLUMNS.get(normal(spelling)) ?? null
}

/** Every other spelling of a feature or field, today's CICFlowMeter name first. */
export function spellingsOf(cic: string): readonly string[] {
  const [, ...older] = CIC_SPELLINGS.find(([head]) => head === cic) ?? [cic]
  return [...new Set(older)].filter((spelling) => spelling !== cic)
}

function normal(spelling: string): string {
  return spelling.trim().toLowerCase()
}

const COLUMNS: ReadonlyMap<string, KnownColumn> = new Map(
  [...featureSpellings(), ...identitySpellings(), ...otherSpellings()].map(([spelling, column]) => [normal(spelling), column]),
)

function cicSpellings(head: string | undefined): string[] {
  if (head === undefined) return []
  const double = head === PANDAS_DOUBLE.head ? [PANDAS_DOUBLE.spelling] : []
  return [head, ...spellingsOf(head), ...double]
}

function featureSpellings(): [string, KnownColumn][] {
  return FEATURES.flatMap(({ name, cic, cicCorrected, netflow, netflowUnit }) => {
    const column: KnownColumn = { name, kind: 'feature', unit: 1 }
    const names = [name, ...cicSpellings(cic), ...cicSpellings(cicCorrected)]
    const netflowNames: [string, KnownColumn][] = netflow === undefined ? [] : [[netflow, { ...column, unit: netflowUnit ?? 1 }]]
    return [...names.map((spelling): [string, KnownColumn] => [spelling, column]), ...netflowNames]
  })
}

function identitySpellings(): [string, KnownColumn][] {
  return IDENTITY.flatMap(({ name, cic, netflow }) =>
    [name, ...cicSpellings(cic), ...(netflow ?? [])].map((spelling): [string, KnownColumn] => [
      spelling,
      { name, kind: 'identity', unit: 1 },
    ]),
  )
}

function otherSpellings(): [string, KnownColumn][] {
  const windows = WINDOW_COLUMNS.map((name): [string, KnownColumn] => [name, { name, kind: 'window', unit: 1 }])
  const ignored = IGNORED.map((spelling): [string, KnownColumn] => [spelling, { name: null, kind: 'ignored', unit: 1 }])
  return [...windows, ...ignored]
}
