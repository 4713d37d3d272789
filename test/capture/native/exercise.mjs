/**
 * Every call of the capture addon, rightly and wrongly, in one process: run plainly and under AddressSanitizer.
 *
 *   node --expose-gc exercise.mjs ADDON DEVICE
 *
 * Prints 'done' at the end; any other outcome is a failure. Needs the right to capture, and packets on the device.
 */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

const [addonPath, device] = isMainThread ? process.argv.slice(2) : workerData
const ring = createRequire(import.meta.url)(addonPath)
const OPTIONS = {
  device,
  snapLen: 2048,
  bufferBytes: 1 << 20,
  blockTimeoutMs: 10,
  isPromiscuous: false,
  isNanosecond: true,
  fanoutGroup: -1,
  fanoutMode: 0,
  filter: '',
}
const SLAB_LEN = 1 << 16

function refuses(code, work) {
  assert.throws(work, (error) => error instanceof Error && error.code === code, `expected ${code} from ${work}`)
}

function wrongOptions() {
  for (const [name, values] of Object.entries({
    device: [undefined, 7, 'x'.repeat(256), 'a\0b', {}],
    snapLen: [undefined, 0, -1, 1.5, NaN, Infinity, 262145, '96', 2n ** 70n],
    bufferBytes: [0, 65535, 2 ** 40, null],
    blockTimeoutMs: [0, 1001],
    isPromiscuous: [1, undefined, 'yes'],
    isNanosecond: [null],
    fanoutGroup: [-2, 65536],
    fanoutMode: [-1, 70000],
    filter: [null, 'x'.repeat(70000)],
  })) {
    for (const value of values) refuses('EINVAL', () => ring.open({ ...OPTIONS, [name]: value }))
  }
  refuses('EINVAL', () => ring.open())
  refuses('EINVAL', () => ring.open('lo'))
  refuses('EFILTER', () => ring.open({ ...OPTIONS, filter: 'tcp prt 80' }))
  refuses('ENODEV', () => ring.open({ ...OPTIONS, device: 'no-such-device' }))
  const trap = Object.defineProperty({ ...OPTIONS }, 'snapLen', {
    get() {
      throw new RangeError('from a getter')
    },
  })
  assert.throws(() => ring.open(trap))
}

function wrongCalls() {
  const handle = ring.open(OPTIONS)
  const slab = new Uint8Array(SLAB_LEN)
  for (const wrong of [undefined, null, 1, {}, [], new Uint8Array(8), Object.create(handle)]) {
    refuses('EINVAL', () => ring.read(wrong, slab, 0, 0))
    refuses('EINVAL', () => ring.stats(wrong))
    refuses('EINVAL', () => ring.close(wrong))
    refuses('EINVAL', () => ring.linkState(wrong))
    refuses('EINVAL', () => ring.emptyAtUs(wrong))
    refuses('EINVAL', () => ring.faultText(wrong))
    refuses('EINVAL', () => ring.setFilter(wrong, ''))
  }
  for (const wrong of [undefined, {}, [], new Uint16Array(SLAB_LEN), new DataView(new ArrayBuffer(SLAB_LEN)), new ArrayBuffer(SLAB_LEN)])
    refuses('EINVAL', () => ring.read(handle, wrong, 0, 0))
  for (const wrong of [-1, 0.5, NaN, SLAB_LEN + 1, '0', undefined]) refuses('EINVAL', () => ring.read(handle, slab, wrong, 0))
  for (const wrong of [-1, 0.5, 60001, '0']) refuses('EINVAL', () => ring.read(handle, slab, 0, wrong))
  refuses('EINVAL', () => ring.read(handle, slab))
  refuses('ERANGE', () => ring.read(handle, slab, SLAB_LEN - 2000, 0))
  refuses('EINVAL', () => ring.read(handle, new Uint8Array(0), 0, 0))
  const gone = new Uint8Array(SLAB_LEN)
  structuredClone(gone, { transfer: [gone.buffer] })
  refuses('EINVAL', () => ring.read(handle, gone, 0, 0))
  for (const wrong of [0, 65, -1, 'x', undefined]) refuses('EINVAL', () => ring.interrupt(wrong))
  for (const wrong of [undefined, 1, 'a\0b', 'x'.repeat(70000)]) refuses('EINVAL', () => ring.setFilter(handle, wrong))
  refuses('EINVAL', () => ring.setFilter(handle))
  refuses('EFILTER', () => ring.setFilter(handle, 'tcp prt 80'))
  ring.close(handle)
  refuses('ECLOSED', () => ring.setFilter(handle, ''))
  refuses('ECLOSED', () => ring.read(handle, slab, 0, 0))
  refuses('ECLOSED', () => ring.close(handle))
  assert.equal(ring.interrupt(handle.id), false)
}

/** Fills slabs until packets have come, each record inside what read said it wrote. */
function readsRecords() {
  const handle = ring.open(OPTIONS)
  const view = new DataView(new ArrayBuffer(SLAB_LEN))
  const slab = new Uint8Array(view.buffer)
  let packets = 0
  for (let turn = 0; turn < 100 && packets < 4; turn++) {
    const start = turn % 7
    const got = ring.read(handle, slab, start, 100)
    assert.ok(got >= 0, `read gave ${got}`)
    let at = start
    for (; at < start + got; packets++) {
      assert.ok(view.getUint32(at, true) > 1.5e9 && view.getUint32(at + 4, true) < 1e9)
      assert.ok(view.getUint32(at + 8, true) <= Math.min(2048, view.getUint32(at + 12, true)))
      at += 16 + view.getUint32(at + 8, true)
    }
    assert.equal(at, start + got)
  }
  assert.ok(packets >= 4, 'packets came')
  const stats = ring.stats(handle)
  assert.ok(stats.received >= packets && stats.noRoom === 0)
  assert.equal(ring.linkState(handle), 'up')
  assert.equal(ring.interrupt(handle.id), true)
  for (let turn = 0; ring.read(handle, slab, 0, 5000) !== -1; turn++) assert.ok(turn < 1000, 'the interruption is seen')
  ring.close(handle)
}

/** An open capture takes another filter, again and again, and none. */
function changesFilters() {
  for (const first of ['', 'tcp port 1']) {
    const handle = ring.open({ ...OPTIONS, filter: first })
    const slab = new Uint8Array(SLAB_LEN)
    ring.setFilter(handle, 'tcp port 1')
    for (let turn = 0; turn < 3; turn++) ring.read(handle, slab, 0, 20)
    assert.equal(ring.read(handle, slab, 0, 100), 0, 'nothing passes')
    refuses('EFILTER', () => ring.setFilter(handle, 'tcp prt 80'))
    assert.equal(ring.read(handle, slab, 0, 100), 0, 'the old filter holds')
    ring.setFilter(handle, 'udp')
    assert.ok(ring.read(handle, slab, 0, 2000) > 0, 'udp passes')
    ring.setFilter(handle, '')
    assert.ok(ring.read(handle, slab, 0, 2000) > 0, 'all passes')
    ring.close(handle)
  }
}

/** What cannot be told is said, not thrown; wrong arguments are thrown. */
function notifies() {
  assert.equal(ring.notify('/no/such/socket', 'READY=1'), 'No such file or directory')
  assert.equal(ring.notify('@no-such-abstract-socket', 'READY=1'), 'Connection refused')
  for (const address of ['', '/', 'relative', 'vsock:1:2']) assert.equal(ring.notify(address, 'READY=1'), 'Invalid argument')
  for (const wrong of [undefined, 1, 'x'.repeat(200), 'a\0b']) refuses('EINVAL', () => ring.notify(wrong, 'READY=1'))
  for (const wrong of [undefined, {}, 'x'.repeat(5000)]) refuses('EINVAL', () => ring.notify('/x', wrong))
  refuses('EINVAL', () => ring.notify('/x'))
}

/** Handles that nobody closed go with the garbage, or with their thread. */
async function letsGo() {
  for (let i = 0; i < 40; i++) ring.open(OPTIONS)
  for (let turn = 0; turn < 5; turn++) {
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  for (let i = 0; i < 4; i++) {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: [addonPath, device] })
    const id = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    // Half of them are ended in the middle of a read; the others are woken from here first.
    if (i % 2 === 0) while (!ring.interrupt(id)) assert.fail('the worker’s capture is known here')
    if (i % 2 === 0) await new Promise((resolve) => worker.once('exit', resolve))
    else await worker.terminate()
  }
}

if (isMainThread) {
  assert.ok(ring.devices().some(({ name }) => name === device))
  wrongOptions()
  wrongCalls()
  readsRecords()
  changesFilters()
  notifies()
  await letsGo()
  process.stdout.write('done\n')
} else {
  const handle = ring.open({ ...OPTIONS, filter: 'tcp port 1' })
  parentPort?.postMessage(handle.id)
  while (ring.read(handle, new Uint8Array(SLAB_LEN), 0, 1000) !== -1);
}
