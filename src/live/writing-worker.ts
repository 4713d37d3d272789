/**
 * The writing thread of a live run: live/writing.ts with messages to the thread that started it.
 *
 * In:  WritingOptions as worker data; WritingRequests. Out: a WritingAnswer to each, in order.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { LiveWriting, type WritingOptions, type WritingRequest } from './writing.ts'

const port = parentPort
if (port === null) throw new Error('live/writing-worker.ts is a worker thread, not a program')
// Checked where it is made: live/delivery.ts.
const writing = new LiveWriting(workerData as WritingOptions)
port.on('message', (request: WritingRequest) => port.postMessage(writing.answer(request)))
