/**
 * Judging speed on one core: flows of an office through orientation, windows, detectors and episodes.
 *
 *   npm run bench:score [-- FLOWS RUNS]
 *
 * Clients and servers are drawn at random from a fixed seed; one flow in twenty stays unanswered. Prints each run and the median.
 */
import { buildEntry } from './build-entry.mjs'

const { Analyst, defaultScoreOptions, NetworkSet } = await buildEntry('score-entry.ts')

const FLOWS = Number(process.argv[2] ?? 300_000)
const RUNS = Number(process.argv[3] ?? 5)
const CLIENTS = 5000
const SERVERS = 3000
const PORTS = [443, 80, 22, 53]
const NO_FLAGS = { fin: 0, syn: 0, rst: 0, psh: 0, ack: 0, urg: 0, ece: 0, cwr: 0, synAck: 0 }

/** Spreads consecutive numbers over 32 bits. */
const mixed = (i, seed) => Math.imul(Math.imul(i + seed, 0x9e3779b1) ^ (i >>> 7), 0x85ebca6b) >>> 0

function flowOf(i) {
  const client = mixed(i, 1) % CLIENTS
  const server = mixed(i, 77) % SERVERS
  const isSilent = i % 20 === 0
  const startUs = i * 1000 + (mixed(i, 5) % 900)
  return {
    id: i,
    proto: 6,
    addr: [`10.0.${client >> 8}.${client & 255}`, `198.${server >> 8}.7.${server & 255}`],
    port: [20_000 + (i % 40_000), PORTS[server % PORTS.length]],
    vlans: [],
    startUs,
    lastUs: startUs + (isSilent ? 0 : 1e6),
    endUs: startUs + 6e6,
    endReason: 'idle',
    directionBasis: 'syn',
    isContinuation: false,
    packets: isSilent ? [1, 0] : [8, 8],
    payloadBytes: isSilent ? [0, 0] : [400 + (mixed(i, 9) % 900), 5000],
    ipBytes: [800, 5500],
    flags: [
      { ...NO_FLAGS, syn: 1, ack: isSilent ? 0 : 7 },
      { ...NO_FLAGS, syn: isSilent ? 0 : 1, synAck: isSilent ? 0 : 1, ack: 8 },
    ],
    connState: 'SF',
    history: 'ShADadFf',
    icmpErrors: 0,
    idleUs: 0,
    firstFlags: 2,
    row: null,
  }
}

const flows = Array.from({ length: FLOWS }, (_, i) => flowOf(i))
const rates = []
for (let run = 1; run <= RUNS; run++) {
  const analyst = new Analyst({
    score: defaultScoreOptions(),
    baseSec: 1_787_000_000,
    internal: new NetworkSet(['10.0.0.0/8']),
    visibility: () => ({}),
    featureVector: () => ({}),
    timeline: () => [],
    communityId: () => '',
    emit: () => {},
    sensor: {},
    featureSet: '',
  })
  const cpu = process.cpuUsage()
  const from = performance.now()
  for (const flow of flows) analyst.onFlow(flow)
  const seconds = (performance.now() - from) / 1000
  const { user, system } = process.cpuUsage(cpu)
  rates.push(FLOWS / seconds)
  console.log(`run ${run}: ${Math.round(FLOWS / seconds)} flows/s, ${((user + system) / FLOWS).toFixed(2)} µs of processor a flow`)
}
console.log(`median: ${Math.round(rates.sort((a, b) => a - b)[RUNS >> 1])} flows/s`)
