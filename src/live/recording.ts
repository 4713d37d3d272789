/**
 * Opens a recording whose file is written by a thread of its own.
 *
 * In:  a path, the interfaces or how many queues will record. Out: a writer of slabs that never waits for the disk, or one queue of blocks for
 *      each; a RunError when the file cannot be opened.
 */
import { closeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { openRecording } from '../capture/pcapng-sink.ts'
import { type Described, PcapngWriter } from '../capture/pcapng-writer.ts'
import { newRecordQueue, QueueSink, type RecordQueue } from '../capture/record-queue.ts'

export function startRecording(path: string, interfaces: readonly Described[]): PcapngWriter {
  const fd = openRecording(path)
  const queue = newRecordQueue()
  // Its end is waited for in the queue, not in the event loop, which the metering thread never enters.
  startWriter(path, fd, [queue]).unref()
  return new PcapngWriter(interfaces, new QueueSink(queue, fd))
}

export interface SharedRecording {
  /** One for each who records. */
  queues: RecordQueue[]
  close(): Promise<void>
}

/** One file for the recordings of several threads, merged by time. @throws RunError when it cannot be written */
export function openSharedRecording(path: string, count: number): SharedRecording {
  const fd = openRecording(path)
  const queues = Array.from({ length: count }, newRecordQueue)
  const writer = startWriter(path, fd, queues)
  writer.unref()
  return {
    queues,
    // Those who record have waited for what they gave.
    close: async () => {
      await writer.terminate()
      closeSync(fd)
    },
  }
}

function startWriter(path: string, fd: number, queues: readonly RecordQueue[]): Worker {
  return new Worker(fileURLToPath(new URL('./recording-worker.js', import.meta.url)), { workerData: { path, fd, queues } })
}
