/**
 * The slicing thread of a live run: live/slicing.ts with messages to the thread that started it.
 *
 * In:  SlicingOptions as worker data; SlicingRequests. Out: a SlicingAnswer to each, in order.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { LiveSlicing, type SlicingOptions, type SlicingRequest } from './slicing.ts'

const port = parentPort
if (port === null) throw new Error('live/slicing-worker.ts is a worker thread, not a program')
// Checked where it is made: live/delivery.ts.
const slicing = new LiveSlicing(workerData as SlicingOptions)
/** One after the other, though each takes several turns. */
let last: Promise<void> = Promise.resolve()
port.on('message', (request: SlicingRequest) => {
  last = last.then(async () => port.postMessage(await slicing.answer(request)))
})
