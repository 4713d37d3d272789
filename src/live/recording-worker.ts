/**
 * The thread that writes a recording (`run -w`), so that a slow disk costs the recording something and the capture nothing.
 *
 * In:  an open file and queues of blocks (capture/record-queue.ts), one a capture queue, as worker data. Out: the file. Not: a message,
 *      in or out.
 */
import { workerData } from 'node:worker_threads'
import { FileSink } from '../capture/pcapng-sink.ts'
import { drainQueues } from '../capture/record-merge.ts'
import { drainQueue, isGivenUp, type RecordQueue } from '../capture/record-queue.ts'

// Made by live/recording.ts.
const { path, fd, queues } = workerData as { path: string; fd: number; queues: readonly RecordQueue[] }
const sink = new FileSink(path, fd, () => queues.some(isGivenUp))
if (queues.length === 1) drainQueue(queues[0], sink)
else drainQueues(queues, sink)
