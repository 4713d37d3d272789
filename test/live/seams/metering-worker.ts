/** The metering thread of a sensor with bugs: 't' throws in the middle of a slab, 'h' hangs for good. */
import { Meter } from '../../../src/flow/meter.ts'
import { seamOf } from './seam.ts'

const meterSlab = Meter.prototype.meterSlab
Meter.prototype.meterSlab = function (slab) {
  const seam = seamOf(slab)
  if (seam === 't') throw new TypeError('a packet that nobody had thought of')
  if (seam === 'h') for (;;);
  meterSlab.call(this, slab)
}
await import('../../../src/live/metering-worker.ts')
