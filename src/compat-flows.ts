/**
 * `flows --profile corrected|as-published`: captures through the reference meter, as CICFlowMeter would write them.
 *
 * In:  captures, a profile, where to write. Out: a CSV file with the tool's header; a summary of the run.
 * Not: the hot path, and no bound on memory: the tools have none (FEATURES.md, O24).
 */
import { createHash } from 'node:crypto'
import { referenceHeader, referenceLine } from './features/reference/columns.ts'
import { ReferenceMeter } from './features/reference/reference-meter.ts'
import type { CompatProfile } from './features/reference/rules.ts'
import type { Progress } from './progress.ts'
import { newReading, type Reading, readCaptures } from './reading.ts'
import { FlowFile } from './sink/flow-file.ts'

const US_PER_S = 1e6

export interface CompatOptions {
  inputs: readonly string[]
  profile: CompatProfile
  /** `none`: only the summary. */
  format: string
  /** A path, or '-' for standard output. */
  output: string
  progress: Progress
  signal: AbortSignal
}

export interface CompatSummary extends Reading {
  packets: number
  bytes: number
  flows: number
  /** SHA-256 of the lines: rows have no binary layout here. */
  digestFlows: string
  notDecoded: { reason: string; count: number }[]
  arpNotJudged: number
}

export async function meterCompat(options: CompatOptions): Promise<CompatSummary> {
  const { profile } = options
  const digest = createHash('sha256')
  const run: { file: FlowFile | null } = { file: null }
  const write = (line: string): void => {
    digest.update(`${line}\n`)
    run.file?.add(`${line}\n`)
  }
  const meter = new ReferenceMeter(profile, (flow) => write(referenceLine(profile, flow)))
  // Only when an input could be opened, so that no file is replaced in vain.
  const open = (): void => {
    if (options.format === 'none' || run.file !== null) return
    run.file = options.output === '-' ? FlowFile.toStdout() : FlowFile.toPath(options.output)
    write(referenceHeader(profile))
  }
  const { counters } = meter
  const reading = newReading()
  await readCaptures(reading, {
    ...options,
    isReordered: false,
    take: async (slab) => {
      open()
      meter.meterSlab(slab)
      if (run.file?.isFull) await run.file.drain()
      return !run.file?.isClosed
    },
    state: () => ({ packets: counters.seen, packetTimeSec: counters.seen === 0 ? null : counters.newestUs / US_PER_S }),
  })
  open()
  meter.finish()
  await run.file?.close()
  return {
    ...reading,
    packets: counters.seen,
    bytes: counters.wireBytes,
    flows: counters.flows,
    digestFlows: options.format === 'none' ? '' : digest.digest('hex'),
    notDecoded: [{ reason: 'not_read_by_the_plain_reader', count: counters.seen - counters.read }],
    arpNotJudged: 0,
  }
}
