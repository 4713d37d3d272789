/**
 * The benchmark's input: a mix of conversations as a mirror port shows them, 96 octets of each frame, made from a seed.
 *
 * Out: slabs, and what is in them. Sizes and rates are heavy-tailed as on real links: flow sizes by Pareto (shape 1.1), and a given
 *      share of the packets comes from the fastest hundredth of the open flows (`fastShare`; 0 gives every open flow the same
 *      rate, the hardest case for a cache). Otherwise packets of open flows interleave at random.
 */

const SNAP_LEN = 96
const RECORD_HEADER_LEN = 16
const SLAB_LEN = 1 << 20

/** Mulberry32: small, seeded, good enough to shuffle a mix. */
export function seeded(seed) {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), a | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const KINDS = [
  { name: 'TCP over IPv4 (handshake, data both ways, close)', share: 0.55, proto: 6, isIpv6: false },
  { name: 'TCP over IPv6', share: 0.1, proto: 6, isIpv6: true },
  { name: 'UDP over IPv4 (DNS-like and streams)', share: 0.25, proto: 17, isIpv6: false },
  { name: 'UDP over IPv6', share: 0.05, proto: 17, isIpv6: true },
  { name: 'unanswered TCP SYN', share: 0.05, proto: 6, isIpv6: false, isSyn: true },
]

/** The kind that a number from [0, 1) falls on. */
function kindOf(share) {
  let end = 0
  for (const [i, kind] of KINDS.entries()) {
    end += kind.share
    if (share < end) return i
  }
  return 0
}

/**
 * @param {{ packets: number, flows: number, concurrent: number, packetsPerSecond: number, fastShare: number, seed: number }} want
 */
export function makeMix(want) {
  const random = seeded(want.seed)
  const slabs = []
  let slab = new Uint8Array(SLAB_LEN)
  let view = new DataView(slab.buffer)
  let at = 0
  const startSec = 1_700_000_000
  const meanPackets = want.packets / want.flows
  const open = []
  let made = 0
  const kindCounts = KINDS.map(() => 0)
  const newFlow = () => {
    const kind = kindOf(random())
    const k = KINDS[kind]
    kindCounts[kind]++
    made++
    const pareto = Math.floor(1 / (1 - random()) ** (1 / 1.1))
    const left = k.isSyn ? 1 : Math.max(k.proto === 6 ? 7 : 2, Math.min(100_000, Math.round((pareto * meanPackets) / 6)))
    return {
      k,
      n: 0,
      left,
      client: (random() * 65_536) | 0,
      server: (random() * 4096) | 0,
      sport: 1024 + ((random() * 64_000) | 0),
      dport: [443, 443, 443, 80, 53, 22, 8443, 5060][(random() * 8) | 0],
      seq: [(random() * 2 ** 32) >>> 0, (random() * 2 ** 32) >>> 0],
    }
  }
  let packets = 0
  while (packets < want.packets) {
    if (made < want.flows && (open.length < want.concurrent || random() < want.flows / want.packets)) open.push(newFlow())
    if (open.length === 0) open.push(newFlow())
    // Bursts: a flow that is chosen sends a few packets before the next one does.
    const lanes = random() < want.fastShare ? Math.ceil(open.length / 100) : open.length
    const i = (random() * lanes) | 0
    const flow = open[i]
    for (let burst = 1 + ((random() * 4) | 0); burst > 0 && flow.left > 0 && packets < want.packets; burst--) {
      if (at + RECORD_HEADER_LEN + SNAP_LEN > SLAB_LEN) {
        slabs.push({ bytes: slab, start: 0, end: at, linkType: 1, interfaceId: 0 })
        slab = new Uint8Array(SLAB_LEN)
        view = new DataView(slab.buffer)
        at = 0
      }
      at = putPacket(slab, view, at, flow, startSec, (packets / want.packetsPerSecond) * 1e6, random)
      packets++
    }
    if (flow.left === 0) {
      open[i] = open[open.length - 1]
      open.pop()
    }
  }
  slabs.push({ bytes: slab, start: 0, end: at, linkType: 1, interfaceId: 0 })
  return {
    slabs,
    packets,
    flows: made,
    makeUp: KINDS.map((k, i) => ({ kind: k.name, flows: kindCounts[i] })),
    seconds: packets / want.packetsPerSecond,
    bytes: slabs.reduce((sum, s) => sum + s.end, 0),
  }
}

function putPacket(b, view, at, flow, startSec, timeUs, random) {
  const { k } = flow
  const n = flow.n++
  flow.left--
  const isLast = flow.left === 0
  const dir = k.isSyn ? 0 : k.proto === 6 && n < 3 ? n & 1 : random() < 0.45 ? 0 : 1
  const flags = k.proto !== 6 ? 0 : n === 0 ? 0x02 : n === 1 ? 0x12 : n === 2 ? 0x10 : isLast ? 0x11 : random() < 0.4 ? 0x10 : 0x18
  const hasData = k.proto === 17 || (flags & 0x08) !== 0
  const payload = hasData ? (dir === 0 ? 40 + ((random() * 400) | 0) : 60 + ((random() * 1388) | 0)) : 0
  const ipHeader = k.isIpv6 ? 40 : 20
  const l4Header = k.proto === 6 ? 20 : 8
  const wireLen = 14 + ipHeader + l4Header + payload
  const capLen = Math.min(wireLen, SNAP_LEN)
  view.setUint32(at, startSec + Math.floor(timeUs / 1e6), true)
  view.setUint32(at + 4, Math.floor(timeUs % 1e6) * 1000, true)
  view.setUint32(at + 8, capLen, true)
  view.setUint32(at + 12, wireLen, true)
  const eth = at + 16
  const ip = eth + 14
  view.setUint16(eth + 12, k.isIpv6 ? 0x86dd : 0x0800)
  const src = dir === 0 ? 0x0a000000 + flow.client : 0xc6336400 + flow.server
  const dst = dir === 0 ? 0xc6336400 + flow.server : 0x0a000000 + flow.client
  if (k.isIpv6) {
    b[ip] = 0x60
    view.setUint16(ip + 4, l4Header + payload)
    b[ip + 6] = k.proto
    b[ip + 7] = 64
    view.setUint32(ip + 8, 0xfd000000)
    view.setUint32(ip + 20, src)
    view.setUint32(ip + 24, 0xfd000000)
    view.setUint32(ip + 36, dst)
  } else {
    b[ip] = 0x45
    view.setUint16(ip + 2, 20 + l4Header + payload)
    b[ip + 8] = 64
    b[ip + 9] = k.proto
    view.setUint32(ip + 12, src)
    view.setUint32(ip + 16, dst)
  }
  const l4 = ip + ipHeader
  view.setUint16(l4, dir === 0 ? flow.sport : flow.dport)
  view.setUint16(l4 + 2, dir === 0 ? flow.dport : flow.sport)
  if (k.proto === 6) {
    view.setUint32(l4 + 4, flow.seq[dir])
    view.setUint32(l4 + 8, flow.seq[1 - dir])
    flow.seq[dir] = (flow.seq[dir] + payload + (flags & 1) + ((flags >> 1) & 1)) >>> 0
    b[l4 + 12] = 0x50
    b[l4 + 13] = flags
    view.setUint16(l4 + 14, 64_240)
  } else {
    view.setUint16(l4 + 4, 8 + payload)
  }
  return at + 16 + capLen
}
