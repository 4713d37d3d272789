/**
 * Standard output that loses nothing unsaid.
 *
 * In:  text or bytes.
 * Out: all of it in the file, pipe or terminal that standard output is; or an error as the system gave it.
 *
 * Node's own stream for a file writes once and takes no notice when the disk took only a part (v20 to v24), and
 * throws away what goes to a device such as /dev/full; so files and devices are written here. A pipe's closed end
 * (EPIPE) is main.ts's.
 */
import { once } from 'node:events'
import { fstatSync, writeSync } from 'node:fs'

const STDOUT = 1

export async function writeStandardOutput(data: string | Uint8Array): Promise<void> {
  if (isStream()) {
    if (!process.stdout.write(data)) await once(process.stdout, 'drain')
    return
  }
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  for (let at = 0; at < bytes.length; ) at += writeSync(STDOUT, bytes, at)
}

function isStream(): boolean {
  const kind = fstatSync(STDOUT)
  return kind.isFIFO() || kind.isSocket() || process.stdout.isTTY === true
}
