/**
 * The thread that writes a recording (`run -w`), so that a slow disk costs the recording something and the capture nothing.
 *
 * In:  an open file and a queue of blocks (capture/record-queue.ts), as worker data. Out: the file. Not: a message, in or out.
 */
import { workerData } from 'node:worker_threads'
import { FileSink } from './capture/pcapng-sink.ts'
import { drainQueue, isGivenUp, type RecordQueue } from './capture/record-queue.ts'

// Made by recording.ts.
const { path, fd, queue } = workerData as { path: string; fd: number; queue: RecordQueue }
drainQueue(queue, new FileSink(path, fd, () => isGivenUp(queue)))
