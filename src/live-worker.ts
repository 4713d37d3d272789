/**
 * The worker thread of a live run: live-meter.ts with messages to the thread that started it.
 *
 * In:  LiveMeterOptions as worker data. Out: LiveMessages; rows are transferred, not copied.
 * Not: messages in. The loop never gives the event loop a turn, so it is told through shared words.
 */
import './tuning.ts'
import { parentPort, workerData } from 'node:worker_threads'
import { type LiveMessage, type LiveMeterOptions, runLiveMeter } from './live-meter.ts'

const port = parentPort
if (port === null) throw new Error('live-worker.ts is a worker thread, not a program')
// Checked where it is made: live.ts.
const options = workerData as LiveMeterOptions
await runLiveMeter(options, (message) => port.postMessage(message, buffersOf(message)))

function buffersOf(message: LiveMessage): ArrayBuffer[] {
  if (message.kind === 'rows') return [message.cells.buffer]
  return message.kind === 'interim' && message.interim.kind === 'open' ? [message.interim.cells.buffer] : []
}
