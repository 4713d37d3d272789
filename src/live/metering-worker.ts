/**
 * The worker thread of a live run: live/metering.ts with messages to the thread that started it.
 *
 * In:  LiveMeterOptions as worker data. Out: WorkerMessages; rows are transferred, not copied.
 * Not: events. The loop never gives the event loop a turn: it is told through shared words when to look for a message.
 */
import '../tuning.ts'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { type LiveMeterOptions, type MeterChange, runLiveMeter, type WorkerMessage } from './metering.ts'

const port = parentPort
if (port === null) throw new Error('live/metering-worker.ts is a worker thread, not a program')
// Checked where it is made: live/live.ts.
const options = workerData as LiveMeterOptions
// Posted by live/live.ts only, which knows the type.
const takeChange = (): MeterChange | null => (receiveMessageOnPort(port)?.message as MeterChange | undefined) ?? null
await runLiveMeter(options, (message) => port.postMessage(message, buffersOf(message)), takeChange)

function buffersOf(message: WorkerMessage): ArrayBuffer[] {
  if (message.kind === 'rows') return [message.cells.buffer]
  return message.kind === 'interim' && message.interim.kind === 'open' ? [message.interim.cells.buffer] : []
}
