/** Flow records from text, for tests: through the reader of files and the whole of features/records. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RecordFormatName } from '../../../src/capture/record-format.ts'
import { loadConfig } from '../../../src/config.ts'
import type { Flow } from '../../../src/flow/flow.ts'
import { RecordReading } from '../../../src/record-reading.ts'

export interface ReadRecords {
  flows: Flow[]
  reading: RecordReading
}

export async function readRecordFile(
  path: string,
  settings: readonly string[] = [],
  from: RecordFormatName | null = null,
): Promise<ReadRecords> {
  const reading = new RecordReading({ records: loadConfig({ settings }).records, from, isInsideTaken: true })
  const flows: Flow[] = []
  for await (const some of reading.flows([path])) flows.push(...some)
  return { flows, reading }
}

export async function readRecords(text: string | Uint8Array, settings: readonly string[] = []): Promise<ReadRecords> {
  const folder = mkdtempSync(join(tmpdir(), 'flowscribe-records-'))
  try {
    const path = join(folder, 'records')
    writeFileSync(path, text)
    return await readRecordFile(path, settings)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A CSV of these columns. */
export function csv(header: string, ...rows: readonly string[]): string {
  return `${[header, ...rows].join('\n')}\n`
}
