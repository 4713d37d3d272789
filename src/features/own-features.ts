/**
 * Features that CICFlowMeter's 84 columns do not have: our own, and the corrected tool's additions.
 *
 * In:  a finished row. Out: numbers, never null.
 */
import { TCP } from '../flow/flow.ts'
import * as Row from '../flow/row.ts'
import { both, headerMinOf, ORIG, RESP } from './directions.ts'
import type { Feature } from './feature.ts'

export const OWN_TABLE: readonly Feature[] = [
  ...both(({ index, name, who, netflow }) => ({
    name: `${name}_bytes`,
    netflow: `${netflow}_BYTES`,
    unit: 'B',
    definition: `Octets of the ${who} from the IP header on.`,
    empty: 0,
    compute: (row) => row.cellOf(index, Row.D_IP_SUM),
  })),
  ...both(({ index, name, cic, who, netflow }) => ({
    name: `${name}_retransmissions`,
    cicCorrected: `${cic} TCP Retrans. Count`,
    netflow: `RETRANSMITTED_${netflow}_PKTS`,
    deviations: ['F12'],
    unit: 'packets',
    definition: `The ${who}'s segments that start below its highest sequence number sent; keep-alives apart.`,
    empty: 0,
    differences: ['A11'],
    compute: (row) => (row.proto === TCP ? row.wordOf(index, Row.D_RETRANSMITTED_W) : 0),
  })),
  ...both(({ index, name, who }) => ({
    name: `${name}_zero_windows`,
    unit: 'packets',
    definition: `The ${who}'s segments that close its receive window; SYN and RST apart.`,
    empty: 0,
    compute: (row) => (row.proto === TCP ? row.wordOf(index, Row.D_ZERO_WINDOWS_W) : 0),
  })),
  {
    name: 'subflow_count',
    unit: 'count',
    definition: 'Gaps over 1 s, plus one.',
    empty: 0,
    compute: (row) => row.word(Row.SUBFLOW_GAPS_W) + 1,
  },
  {
    name: 'active_time_us',
    unit: 'µs',
    definition: 'Duration less all pauses over 5 s: every active period counts, the last one too.',
    empty: 0,
    compute: (row) => row.durationUs - row.cell(Row.IDLE_SUM_US),
  },
  {
    name: 'idle_time_us',
    unit: 'µs',
    definition: 'Sum of all pauses over 5 s.',
    empty: 0,
    compute: (row) => row.cell(Row.IDLE_SUM_US),
  },
  {
    name: 'idle_count',
    unit: 'count',
    definition: 'Pauses over 5 s.',
    empty: 0,
    compute: (row) => row.word(Row.IDLE_COUNT_W),
  },
  ...both(({ index, name, cic, who }) => ({
    name: `${name}_rst_flags`,
    cicCorrected: `${cic} RST Flags`,
    unit: 'packets',
    definition: `Packets of the ${who} with RST.`,
    empty: 0,
    compute: (row) => row.wordOf(index, Row.D_RST_W),
  })),
  {
    name: 'bwd_data_packets',
    cicCorrected: 'Bwd Act Data Pkts',
    unit: 'packets',
    definition: "The responder's packets with at least one octet of payload.",
    empty: 0,
    differences: ['A3'],
    compute: (row) => row.wordOf(RESP, Row.D_DATA_PACKETS_W),
  },
  {
    name: 'bwd_header_min',
    cicCorrected: 'Bwd Seg Size Min',
    unit: 'B',
    definition: "Shortest transport header of the responder's packets; 0 when it sent none.",
    empty: 0,
    differences: ['A3', 'A10'],
    deviations: ['F6'],
    compute: (row) => headerMinOf(row, RESP),
  },
  {
    name: 'retransmissions',
    cicCorrected: 'Total TCP Retrans. Count',
    unit: 'packets',
    definition: 'Retransmissions of both directions.',
    empty: 0,
    differences: ['A11'],
    deviations: ['F12'],
    compute: (row) => (row.proto === TCP ? row.wordOf(ORIG, Row.D_RETRANSMITTED_W) + row.wordOf(RESP, Row.D_RETRANSMITTED_W) : 0),
  },
  {
    name: 'connection_duration_us',
    cicCorrected: 'Total Connection Flow Time',
    unit: 'µs',
    definition: 'Time from the first packet of the connection, before any cut by the active timeout, to the last packet of the row.',
    empty: 0,
    differences: ['A12'],
    compute: (row) => row.lastUs - row.cell(Row.CONNECTION_START_US),
  },
  {
    name: 'icmp_errors',
    unit: 'packets',
    definition: 'ICMP errors that quote a packet of this flow.',
    empty: 0,
    compute: (row) => row.word(Row.ICMP_ERRORS_W),
  },
]
