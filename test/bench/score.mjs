/**
 * Judging speed on one core: flows through orientation, windows, surprisal, detectors and episodes.
 *
 *   npm run bench:score [-- FLOWS RUNS CASE]
 *
 * Three cases, drawn from a fixed seed. office: 5,000 clients, each with ten usual servers of 3,000, to which three flows in four go, so that
 * a pair has four flows (in pcaps/ of an office it has six, in two labelled host-days of Zeek's, scans from outside included, three); one
 * flow in twenty unanswered. strangers: the same hosts at random, where nearly every pair is new. churn: each flow is between two hosts that never met, as in floods from forged senders and in scans, which is
 * what costs memory and time; no host table holds them all. Prints each run, the median and the fastest of each case, and a digest of all
 * alert events: it tells whether a change of speed was one of results, too. Processor time counts the collector's threads. The first run of
 * a process is the compiler's, too.
 *
 * memory: what is held after a million flows of churn, two million hosts, once the collector has been through: heap and arrays outside it.
 */
import { createHash } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { buildEntry } from './build-entry.mjs'

const { Analyst, defaultScoreOptions, NetworkSet } = await buildEntry('score-entry.ts')

const FLOWS = Number(process.argv[2] ?? 300_000)
const RUNS = Number(process.argv[3] ?? 5)
const ONLY = process.argv[4]
/**
 * Flows are made and judged by turns: the sensor makes each of its row when its turn comes, and those that wait for judgement here are
 * copied by each collection meanwhile (ten thousand of them fill the young generation). Not fewer at a time: asking for the processor's
 * time costs as much as judging eight flows.
 */
const CHUNK = 100
const CLIENTS = 5000
const SERVERS = 3000
const PORTS = [443, 80, 22, 53]
const NO_FLAGS = { fin: 0, syn: 0, rst: 0, psh: 0, ack: 0, urg: 0, ece: 0, cwr: 0, synAck: 0 }

/** MurmurHash3's finaliser: consecutive numbers come out in no order. A product alone would make each client call as a clock does. */
function mixed(i, seed) {
  let h = Math.imul(i, 0x9e3779b1) ^ Math.imul(seed, 0x27d4eb2f)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
const dotted = (word) => `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`

/** To any server, or to one of the client's usual ones. */
const strangersFlow = (i) => session(i, mixed(i, 77) % SERVERS)
const officeFlow = (i) =>
  mixed(i, 31) % 4 === 0 ? strangersFlow(i) : session(i, mixed((mixed(i, 1) % CLIENTS) * 10 + (mixed(i, 77) % 10), 19) % SERVERS)

function session(i, server) {
  const client = mixed(i, 1) % CLIENTS
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
    payloadSquares: isSilent ? [0, 0] : [600_000, 5_000_000],
    ipBytes: [800, 5500],
    flags: [
      { ...NO_FLAGS, syn: 1, ack: isSilent ? 0 : 7 },
      { ...NO_FLAGS, syn: isSilent ? 0 : 1, synAck: isSilent ? 0 : 1, ack: 8 },
    ],
    connState: 'SF',
    history: 'ShADadFf',
    icmpErrors: 0,
    idleUs: 0,
    gapStdUs: isSilent ? null : 20_000,
    firstFlags: 2,
    row: null,
  }
}

/** One packet that nobody answers. */
function probe(i, proto, from, to, port) {
  const startUs = i * 20
  const isTcp = proto === 6
  return {
    id: i,
    proto,
    addr: [from, to],
    port: [1024 + (mixed(i, 3) % 60_000), port],
    vlans: [],
    startUs,
    lastUs: startUs,
    endUs: startUs + 60e6,
    endReason: 'idle',
    directionBasis: isTcp ? 'syn' : 'first_packet',
    isContinuation: false,
    packets: [1, 0],
    payloadBytes: isTcp ? [0, 0] : [32, 0],
    payloadSquares: isTcp ? [0, 0] : [1024, 0],
    ipBytes: [60, 0],
    flags: isTcp ? [{ ...NO_FLAGS, syn: 1 }, { ...NO_FLAGS }] : null,
    connState: 'S0',
    history: 'S',
    icmpErrors: 0,
    idleUs: 0,
    gapStdUs: null,
    firstFlags: isTcp ? 2 : null,
    row: null,
  }
}

/** By turns: SYNs and datagrams from forged senders to one server each, a sweep from outside over inside hosts, and one from inside over ports. */
function churnFlow(i) {
  const nobody = dotted(0x0b000000 + (mixed(i, 11) % 0x50000000))
  if (i % 4 === 0) return probe(i, 6, nobody, '10.0.0.80', 443)
  if (i % 4 === 1) return probe(i, 17, nobody, '10.0.0.53', 53)
  if (i % 4 === 2) return probe(i, 6, '203.0.113.9', dotted(0x0a000000 + ((i >> 2) & 0xffffff)), 445)
  return probe(i, 6, '10.7.7.7', dotted(0xc6000000 + (mixed(i, 13) & 0xffffff)), 1 + ((i >> 2) % 1000))
}

const analystFor = (emit) =>
  new Analyst({
    score: defaultScoreOptions(),
    baseSec: 1_787_000_000,
    internal: new NetworkSet(['10.0.0.0/8']),
    visibility: () => ({}),
    featureVector: () => ({}),
    timeline: () => [],
    communityId: () => '',
    emit,
    sensor: {},
    featureSet: '',
  })

/** Judges all flows; the seconds and the processor's µs a flow that judging took. */
function run(flowOf) {
  const events = createHash('sha256')
  const analyst = analystFor((event) => events.update(JSON.stringify(event)))
  let ms = 0
  let cpuUs = 0
  for (let from = 0; from < FLOWS; from += CHUNK) {
    const flows = Array.from({ length: Math.min(CHUNK, FLOWS - from) }, (_, i) => flowOf(from + i))
    const cpu = process.cpuUsage()
    const startMs = performance.now()
    for (const flow of flows) analyst.onFlow(flow)
    ms += performance.now() - startMs
    const { user, system } = process.cpuUsage(cpu)
    cpuUs += user + system
  }
  events.update(JSON.stringify(analyst.counters))
  analyst.finish(FLOWS * 1000 + 1e9)
  return { perS: FLOWS / (ms / 1000), cpuUs: cpuUs / FLOWS, digest: events.digest('hex').slice(0, 16) }
}

const MEMORY_FLOWS = 1_000_000

function heldMB() {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 2 ** 20
}

function tellMemory() {
  const before = heldMB()
  const analyst = analystFor(() => undefined)
  for (let i = 0; i < MEMORY_FLOWS; i++) analyst.onFlow(churnFlow(i))
  const held = heldMB() - before
  const { clientsEvicted, targetsEvicted, pairsEvicted } = analyst.counters
  const limits = Object.entries({ clientsEvicted, targetsEvicted, pairsEvicted }).map(([name, count]) => `${name} ${count}`)
  console.log(`memory: ${held.toFixed(0)} MB held after ${MEMORY_FLOWS} flows of churn (${limits.join(', ')})`)
}

for (const [name, flowOf] of Object.entries({ office: officeFlow, strangers: strangersFlow, churn: churnFlow })) {
  if (ONLY !== undefined && ONLY !== name) continue
  const runs = Array.from({ length: RUNS }, () => run(flowOf))
  for (const { perS, cpuUs } of runs) console.log(`${name}: ${Math.round(perS)} flows/s, ${cpuUs.toFixed(2)} µs of processor a flow`)
  const least = Math.min(...runs.map(({ cpuUs }) => cpuUs))
  const speeds = runs.map(({ perS }) => Math.round(perS)).sort((a, b) => a - b)
  const [median, most] = [speeds[RUNS >> 1], speeds[RUNS - 1]]
  console.log(`${name}: median ${median}, at best ${most} flows/s and ${least.toFixed(2)} µs of processor; events ${runs[0].digest}`)
}
if (ONLY === undefined || ONLY === 'memory') tellMemory()
