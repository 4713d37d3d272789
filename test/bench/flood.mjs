/**
 * A SYN flood through a capped flow table, and through one that holds every flow: speed, evictions, peak memory.
 *
 *   node test/bench/flood.mjs [--flows 2000000] [--cap 200000] [--uncapped-flows 400000]
 *
 * Out: one line of JSON on standard output. Peak memory is that of the process after the capped run.
 * Packets are made a slab at a time, so that the input takes no memory. The uncapped run takes fewer flows unless told otherwise: a table
 * for two million is 1.8 GB, and a smaller one is faster, which makes the capped run's comparison harder.
 */
import { parseArgs } from 'node:util'
import { buildEntry } from './build-entry.mjs'

const { defaultsOf, END_REASONS, FLOW_OPTIONS, Meter, ROW_BYTES, tableLimits } = await buildEntry('meter-entry.ts')

const { values } = parseArgs({
  options: {
    flows: { type: 'string', default: '2000000' },
    cap: { type: 'string', default: '200000' },
    'uncapped-flows': { type: 'string', default: '400000' },
  },
})

const SYNS_PER_SLAB = 8192
const PACKETS_PER_SECOND = 100_000
const START_SEC = 1_700_000_000
const RECORD_HEADER_LEN = 16
const FRAME_LEN = 54
const RECORD_LEN = RECORD_HEADER_LEN + FRAME_LEN
// Where a record's fields lie that differ from SYN to SYN.
const SRC_ADDRESS = RECORD_HEADER_LEN + 26
const SRC_PORT = RECORD_HEADER_LEN + 34
const SEQ = RECORD_HEADER_LEN + 38

/** SYNs from address and port number `i`, `i + 1` and so on to one server. */
class Flood {
  #bytes = new Uint8Array(SYNS_PER_SLAB * RECORD_LEN)
  #view = new DataView(this.#bytes.buffer)

  constructor() {
    const frame =
      '020000000002 020000000001 0800 4500 0028 0000 0000 40 06 0000 00000000 c6336401 0000 0050 00000000 00000000 50 02 faf0 0000 0000'
    const octets = Uint8Array.from(frame.replaceAll(' ', '').match(/../g), (pair) => Number.parseInt(pair, 16))
    for (let at = 0; at < this.#bytes.length; at += RECORD_LEN) {
      this.#view.setUint32(at + 8, FRAME_LEN, true)
      this.#view.setUint32(at + 12, FRAME_LEN, true)
      this.#bytes.set(octets, at + RECORD_HEADER_LEN)
    }
  }

  slab(first, count) {
    for (let n = 0; n < count; n++) {
      const i = first + n
      const at = n * RECORD_LEN
      this.#view.setUint32(at, START_SEC + Math.floor(i / PACKETS_PER_SECOND), true)
      this.#view.setUint32(at + 4, (i % PACKETS_PER_SECOND) * (1e9 / PACKETS_PER_SECOND), true)
      // Addresses and ports of no order, each pair once.
      this.#view.setUint32(at + SRC_ADDRESS, Math.imul(i, 0x9e3779b1))
      this.#view.setUint16(at + SRC_PORT, 1024 + (i % 60_000))
      this.#view.setUint32(at + SEQ, Math.imul(i, 0x85ebca6b))
    }
    return { bytes: this.#bytes, start: 0, end: count * RECORD_LEN, linkType: 1, interfaceId: 0 }
  }
}

/** Packets a second of this process's own time, since others may keep the cores busy; and what became of the flows. */
function flood(flows, maxFlows) {
  let rows = 0
  const meter = new Meter({ ...tableLimits(defaultsOf(FLOW_OPTIONS)), maxFlows }, (batch) => {
    rows += batch.count
  })
  meter.table.takeMemory()
  const source = new Flood()
  let us = 0
  for (let first = 0; first < flows; first += SYNS_PER_SLAB) {
    const slab = source.slab(first, Math.min(SYNS_PER_SLAB, flows - first))
    const before = process.cpuUsage()
    meter.meterSlab(slab)
    const { user, system } = process.cpuUsage(before)
    us += user + system
  }
  const { flowsCreated, rowsEnded } = meter.table.counters
  const ended = Object.fromEntries(END_REASONS.map((reason, i) => [reason, rowsEnded[i]]))
  const held = meter.table.size
  meter.finish()
  return { flows: flowsCreated, evicted: ended.evicted, held, rows, packetsPerSecond: Math.round((flows / us) * 1e6) }
}

// The compiler's warm-up is nobody's time.
flood(200_000, 20_000)
const capped = flood(Number(values.flows), Number(values.cap))
const peakBytes = process.resourceUsage().maxRSS * 1024
const uncappedFlows = Number(values['uncapped-flows'])
const uncapped = flood(uncappedFlows, uncappedFlows)
console.log(JSON.stringify({ capped, uncapped, peakBytes, rowBytes: ROW_BYTES }))
