/**
 * Opens a recording whose file is written by a thread of its own.
 *
 * In:  a path, the interfaces. Out: a writer of slabs that never waits for the disk; a RunError when the file cannot be opened.
 */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { openRecording } from './capture/pcapng-sink.ts'
import { type Described, PcapngWriter } from './capture/pcapng-writer.ts'
import { newRecordQueue, QueueSink } from './capture/record-queue.ts'

export function startRecording(path: string, interfaces: readonly Described[]): PcapngWriter {
  const fd = openRecording(path)
  const queue = newRecordQueue()
  const worker = new Worker(fileURLToPath(new URL('./record-worker.js', import.meta.url)), { workerData: { path, fd, queue } })
  // Its end is waited for in the queue, not in the event loop, which the metering thread never enters.
  worker.unref()
  return new PcapngWriter(interfaces, new QueueSink(queue, fd))
}
