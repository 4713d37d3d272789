/**
 * What a run over flow records read, and what those records cannot say: for the summary and for each alert's visibility.
 *
 * In:  flows as they were made from records. Out: counts and sentences.
 * The invariant: bounded: a counter for each thing that can be missing, no list of records.
 */
import type { RecordFormatName } from '../../capture/record-format.ts'
import type { Flow } from '../../flow/flow.ts'
import { TCP } from '../../flow/flow.ts'
import type { RecordParts } from './record-parts.ts'

/** What no record of a format has. Words that a report prints. */
const LACKS: Readonly<Record<RecordFormatName, readonly string[]>> = {
  cic: ['single packets', 'octets from the IP header on', 'who sent which flag', 'ICMP errors', 'flows that are still open'],
  netflow: ['single packets', 'payload', 'the order of TCP flags', 'ICMP errors', 'flows that are still open'],
  nfdump: ['single packets', 'payload', 'the order of TCP flags', 'ICMP errors', 'flows that are still open'],
  zeek: ['single packets', 'pauses inside a connection', 'ICMP errors as part of the flow they are about', 'flows that are still open'],
  flowscribe: ['single packets', 'who sent which flag', 'flows that are still open'],
}

export class RecordLedger {
  readonly formats = new Set<RecordFormatName>()
  /** Records used. */
  read = 0
  packets = 0
  bytes = 0
  withoutAddresses = 0
  withoutPort = 0
  withUnusableFlags = 0
  withEstimatedPayload = 0
  coarse = 0
  /** One packet in so many; 1: all. */
  sampling = 1
  serverHalves = 0
  clientHalves = 0

  note(flow: Flow, parts: RecordParts, format: RecordFormatName): void {
    const { record } = flow
    this.formats.add(format)
    this.read++
    this.packets += (flow.packets[0] ?? 0) + (flow.packets[1] ?? 0)
    this.bytes += (flow.ipBytes[0] ?? flow.payloadBytes[0] ?? 0) + (flow.ipBytes[1] ?? flow.payloadBytes[1] ?? 0)
    if (record === undefined) return
    if (!record.hasAddresses) this.withoutAddresses++
    if (!record.hasPort.every(Boolean)) this.withoutPort++
    if (record.hasUnusableFlags) this.withUnusableFlags++
    if (record.isPayloadEstimated && flow.proto === TCP) this.withEstimatedPayload++
    // Zeek's JSON writes a whole second without its zeros.
    if (parts.start.grainUs >= 1e6 && format !== 'zeek') this.coarse++
    if (parts.sampling !== undefined) this.sampling = Math.max(this.sampling, parts.sampling)
  }

  /** A half whose other half never came, once it is known who was the client. */
  noteHalf(isServer: boolean): void {
    if (isServer) this.serverHalves++
    else this.clientHalves++
  }

  get lacks(): string[] {
    return [...new Set([...this.formats].flatMap((format) => LACKS[format]))]
  }

  /** What this means for verdicts, a sentence each. */
  get notes(): string[] {
    const notes: [count: number, text: string][] = [
      [this.withoutAddresses, 'name no hosts: each is judged alone, without what its hosts did else'],
      [this.withoutPort, 'name no source port'],
      [this.withUnusableFlags, 'count flags that no connection can have (fewer than its packets): they were not used'],
      [this.withEstimatedPayload, 'have no payload: for TCP it was estimated from the octets less the usual headers'],
      [this.coarse, 'have times in whole seconds or coarser: short intervals are not known'],
    ]
    const sampled =
      this.sampling > 1 ? [`one packet in ${this.sampling} was metered: volumes are scaled, scans, logins and beacons not judged`] : []
    return [...notes.filter(([count]) => count > 0).map(([count, text]) => `${count} of ${this.read} records ${text}`), ...sampled]
  }
}
