/**
 * Alert events made by hand, one a kind, with values as real tools give them: an nmap SYN scan, a sweep for ssh,
 * hydra against OpenSSH. Tests of words, pictures, lines and verification stand on these.
 */
import { NOTHING_COUNTED } from '../../src/context/capture-history.ts'
import type { Envelope } from '../../src/explain/alert-line.ts'
import type { AlertEvent, Evidence, KeptFlow, Num, Unit } from '../../src/score/evidence.ts'

export function num(v: number, unit: Unit, text: string): Num {
  return { v, unit, text }
}

export const ENVELOPE: Envelope = {
  timestamp: '2026-03-17T09:21:14.402118+0000',
  pcap_filename: 'pcaps/nmap-syn.pcap.gz',
  host: 'sensor-a',
}

const BASE = {
  event: 'open',
  calibration: 'prior',
  cap: null,
  shouldNotify: true,
  heldBackCount: 0,
  orientation: { how: 'syn', confidence: 0.99, halves: 'both' },
  baselineState: 'none',
  visibility: {
    ...NOTHING_COUNTED,
    packetsSeen: 48_211,
    packetsNotDecoded: 0,
    truncatedPackets: 48_020,
    latePackets: 0,
    evictedFlows: 0,
    bothHalves: 0.97,
    inputDamage: null,
    source: 'file',
  },
  featureSet: 'cic-84.1',
  sensor: { name: 'sensor-a', version: '0.1.0', configDigest: '5f1e0c9a7b3d' },
} as const

function evidence(
  id: string,
  fields: Partial<Evidence> & Pick<Evidence, 'code' | 'label' | 'claim' | 'measured' | 'lr' | 'group' | 'next'>,
): Evidence {
  return {
    id,
    names: [],
    sample: { n: 212, fromUs: 12_402_118, toUs: 73_902_118, flowIds: [4_718_203_991_125, 4_718_203_991_140] },
    basis: 'expert',
    supports: fields.lr < 0 ? 'benign' : 'malicious',
    ...fields,
  }
}

const SYN_PROBE: KeptFlow = {
  id: 4_718_203_991_125,
  communityId: '1:wCb3OG7yAFWelaUydu0D+125CLM=',
  proto: 6,
  addr: ['10.0.0.7', '10.0.0.9'],
  port: [51_514, 22],
  start: '2026-03-17T09:20:12.402118+0000',
  durationUs: 913,
  connState: 'RSTO',
  history: 'ShR',
  packets: [2, 1],
  payloadBytes: [0, 0],
  ipBytes: [84, 44],
  timeline: [
    { direction: 0, gapUs: 0, payloadLen: 0, flags: 0x02 },
    { direction: 1, gapUs: 611, payloadLen: 0, flags: 0x12 },
    { direction: 0, gapUs: 302, payloadLen: 0, flags: 0x04 },
  ],
}

const REFUSED_PROBE: KeptFlow = {
  ...SYN_PROBE,
  id: 4_718_203_991_140,
  communityId: '1:HhA1B+6CoLbiKPEs5nhNYN4XWfk=',
  port: [51_514, 445],
  start: '2026-03-17T09:20:12.511006+0000',
  durationUs: 402,
  connState: 'REJ',
  history: 'Sr',
  packets: [1, 1],
  ipBytes: [44, 40],
  timeline: [
    { direction: 0, gapUs: 0, payloadLen: 0, flags: 0x02 },
    { direction: 1, gapUs: 402, payloadLen: 0, flags: 0x14 },
  ],
}

const WELL_KNOWN = [
  7, 9, 13, 21, 22, 23, 25, 26, 37, 53, 79, 80, 81, 88, 106, 110, 111, 113, 119, 135, 139, 143, 144, 179, 199, 389, 427, 443, 444, 445, 465,
  513, 514, 515, 543, 544, 548, 554, 587, 631, 646, 873, 990, 993, 995, 1025, 1026, 1027, 1028, 1029, 1110, 1433, 1720, 1723, 1755, 1900,
  2000, 2001, 2049, 2121, 2717, 3000, 3128, 3306, 3389, 3986, 4899, 5000, 5009, 5051, 5060, 5101, 5190, 5357, 5432, 5631, 5666, 5800, 5900,
  6000, 6001, 6646, 7070, 8000, 8008, 8009, 8080, 8081, 8443, 8888, 9100, 9999, 10_000, 32_768, 49_152, 49_153, 49_154, 49_155, 49_156,
  49_157,
]

export function verticalScan(): AlertEvent {
  return {
    id: 'a3f19c02-scan.vertical',
    ...BASE,
    kind: 'scan.vertical',
    title: 'Vertical port scan',
    likelihood: 0.968,
    band: 'very likely malicious',
    severity: 'medium',
    severityWhy: ['a scan by itself is low', 'the actor is one of your own hosts (one step up)'],
    attack: [{ id: 'T1046', name: 'Network Service Discovery', tactic: 'TA0007', tacticName: 'Discovery' }],
    priorLog10: -1,
    arithmetic: [
      { name: 'prior', log10: -1, text: '10 %', evidenceIds: [] },
      { name: 'pattern', log10: 1.5, text: '×32', evidenceIds: ['E1'] },
      { name: 'scale', log10: 0.5, text: '×3.2', evidenceIds: ['E2'] },
      { name: 'failure', log10: 0.48, text: '×3', evidenceIds: ['E3'] },
    ],
    evidence: [
      evidence('E1', {
        code: 'D2.failed_ports',
        label: 'many closed ports',
        claim: 'failed on {m0} distinct ports of {x0} within {m1}',
        names: ['10.0.0.9'],
        measured: [num(98, 'count', '98'), num(1_210_000, 'us', '1.2 s')],
        lr: 1.5,
        group: 'pattern',
        alt: 'an authorised vulnerability scanner or inventory system',
        next: 'ask who runs scanners from 10.0.0.7',
      }),
      evidence('E2', {
        code: 'D2.scale',
        label: 'a hundred ports',
        claim: 'tried {m0} ports, where the test asks for {m1}',
        measured: [num(100, 'count', '100'), num(15, 'count', '15')],
        lr: 0.5,
        group: 'scale',
        next: "compare the ports tried with the tool's default list",
      }),
      evidence('E3', {
        code: 'D2.flat_probe',
        label: 'empty probes',
        claim: 'all {m0} probes carried no payload',
        measured: [num(100, 'count', '100')],
        lr: 0.48,
        group: 'failure',
        next: 'open the capture and look at the probes',
        basis: 'measured',
      }),
    ],
    benign: [],
    notEvaluated: [{ code: 'B5.role', why: 'no roles are declared in the configuration' }],
    wouldChange: [
      'Without “many closed ports” the verdict would be “unclear”.',
      'If 10.0.0.7 were a declared scanner, the verdict would be “unclear”.',
    ],
    actor: '10.0.0.7',
    actorSide: 'inside',
    victims: { addresses: ['10.0.0.9'], count: 1 },
    servicePort: null,
    proto: 6,
    episode: {
      flows: 100,
      firstUs: 12_402_118,
      lastUs: 13_612_118,
      first: '2026-03-17T09:20:12.402118+0000',
      last: '2026-03-17T09:20:13.612118+0000',
    },
    flows: [SYN_PROBE, REFUSED_PROBE],
    features: {
      flow_duration_us: 913,
      fwd_packets: 2,
      bwd_packets: 1,
      fwd_iat_mean: 913,
      flow_packets_per_s: 3285.870755750274,
      bwd_iat_mean: null,
    },
    windowFeatures: {
      dst_flows_in_window: 100,
      src_entropy_PROTOCOL: 0.0807931358959,
      src_values_PROTOCOL: 2,
      src_IN_PKTS_sum: 103,
      src_flows_in_window: 101,
      src_flag_SYN: 100,
    },
    pictures: [
      {
        picture: 'grid',
        targets: ['10.0.0.9'],
        ports: WELL_KNOWN,
        omitted: 0,
        cells: WELL_KNOWN.map((port, i) => ({
          target: 0,
          port: i,
          outcome: port === 22 || port === 80 ? ('answered' as const) : ('failed' as const),
        })),
      },
    ],
  }
}

export function horizontalScan(): AlertEvent {
  const targets = Array.from({ length: 61 }, (_, i) => `10.0.3.${i + 1}`)
  const victims = targets.slice(0, 16)
  return {
    ...verticalScan(),
    id: '77d0e4b1-scan.horizontal',
    kind: 'scan.horizontal',
    event: 'update',
    title: 'Horizontal scan',
    likelihood: 0.987,
    severity: 'medium',
    band: 'very likely malicious',
    attack: [
      { id: 'T1046', name: 'Network Service Discovery', tactic: 'TA0007', tacticName: 'Discovery' },
      { id: 'T1018', name: 'Remote System Discovery', tactic: 'TA0007', tacticName: 'Discovery' },
    ],
    priorLog10: -2,
    arithmetic: [
      { name: 'prior', log10: -2, text: '1 %', evidenceIds: [] },
      { name: 'failure', log10: 1.8, text: '×63', evidenceIds: ['E1'] },
      { name: 'pattern', log10: 1.5, text: '×32', evidenceIds: ['E2'] },
      { name: 'target', log10: 0.7, text: '×5', evidenceIds: ['E3'] },
      { name: 'benign', log10: -0.12, text: '÷1.3', evidenceIds: ['B1'] },
    ],
    evidence: [
      evidence('E1', {
        code: 'D1.trw',
        label: 'first contacts fail',
        claim: '{m0} of {m1} first contacts failed; chance does this less often than {m2}',
        measured: [num(57, 'count', '57'), num(61, 'count', '61'), num(10_000, '1/N', '1 in 10,000')],
        lr: 1.8,
        group: 'failure',
        basis: 'test',
        alt: 'a monitoring system with an outdated list of hosts',
        next: 'compare the hosts tried with the monitoring list',
      }),
      evidence('E2', {
        code: 'D1.failed_servers',
        label: 'many hosts',
        claim: 'failed on {m0} distinct hosts, all on {m1} port',
        measured: [num(57, 'count', '57'), num(1, 'count', '1')],
        lr: 1.5,
        group: 'pattern',
        next: 'look which process on 10.0.0.7 opened these connections',
        baseline: { scope: 'this network', n: 41, median: num(0, 'count', '0'), p95: num(3, 'count', '3') },
      }),
      evidence('E3', {
        code: 'D1.dark',
        label: 'hosts that do not exist',
        claim: '{m0} of the hosts tried have never been seen to exist',
        measured: [num(52, 'count', '52')],
        lr: 0.7,
        group: 'target',
        next: 'look up 10.0.3.2 in the address plan',
      }),
    ],
    benign: [
      evidence('B1', {
        code: 'B2.answered',
        label: 'some answer',
        claim: '{m0} of {m1} hosts answered as a service does',
        measured: [num(4, 'count', '4'), num(61, 'count', '61')],
        lr: -0.12,
        group: 'benign',
        next: 'ask whether an administration job runs over these hosts',
      }),
      evidence('B2', {
        code: 'B7.outage',
        label: 'server outage',
        claim: 'other clients that fail on the same hosts: {m0}',
        measured: [num(0, 'count', '0')],
        lr: 0,
        group: 'benign',
        next: 'ask whether a service was taken down at this time',
      }),
    ],
    notEvaluated: [
      { code: 'B5.role', why: 'no roles are declared in the configuration' },
      { code: 'B3.known_pair', why: 'no baseline: the sensor had not watched this network before' },
    ],
    wouldChange: [],
    victims: { addresses: victims, count: 61 },
    servicePort: 22,
    baselineState: 'partial',
    episode: {
      flows: 61,
      firstUs: 100_250_000,
      lastUs: 103_290_000,
      first: '2026-03-17T09:21:40.250000+0000',
      last: '2026-03-17T09:21:43.290000+0000',
    },
    flows: [
      { ...SYN_PROBE, addr: ['10.0.0.7', '10.0.3.1'], port: [40_112, 22], start: '2026-03-17T09:21:40.250000+0000' },
      {
        ...SYN_PROBE,
        id: 5_510_000_000_001,
        communityId: '1:crodRHL2FEsHjbv3UkRrfbs4bZ0=',
        addr: ['10.0.0.7', '10.0.3.2'],
        port: [40_113, 22],
        start: '2026-03-17T09:21:40.300000+0000',
        durationUs: 3_040_112,
        connState: 'S0',
        history: 'S',
        packets: [3, 0],
        ipBytes: [180, 0],
        timeline: [
          { direction: 0, gapUs: 0, payloadLen: 0, flags: 0x02 },
          { direction: 0, gapUs: 1_012_040, payloadLen: 0, flags: 0x02 },
          { direction: 0, gapUs: 2_028_072, payloadLen: 0, flags: 0x02 },
        ],
      },
    ],
    pictures: [
      {
        picture: 'grid',
        targets,
        ports: [22],
        omitted: 0,
        cells: targets.map((_, i) => ({ target: i, port: 0, outcome: i % 17 === 0 ? ('answered' as const) : ('failed' as const) })),
      },
    ],
    visibility: { ...BASE.visibility, packetsNotDecoded: 12, latePackets: 3, bothHalves: null, inputDamage: 'cut short at byte 1048576' },
  }
}

const LOGIN_SESSION: KeptFlow = {
  id: 6_001_122_334_455,
  communityId: '1:LQU9qZlK+B5F3KDmev6m5PMibrg=',
  proto: 6,
  addr: ['198.51.100.23', '10.0.0.12'],
  port: [44_870, 22],
  start: '2026-03-17T10:02:07.118250+0000',
  durationUs: 3_412_908,
  connState: 'SF',
  history: 'ShAdDaFf',
  packets: [17, 19],
  payloadBytes: [1_862, 2_409],
  ipBytes: [2_758, 3_409],
  timeline: [
    { direction: 0, gapUs: 0, payloadLen: 0, flags: 0x02 },
    { direction: 1, gapUs: 212, payloadLen: 0, flags: 0x12 },
    { direction: 0, gapUs: 24_410, payloadLen: 0, flags: 0x10 },
    { direction: 0, gapUs: 1_021, payloadLen: 22, flags: 0x18 },
    { direction: 1, gapUs: 6_400, payloadLen: 40, flags: 0x18 },
    { direction: 0, gapUs: 24_800, payloadLen: 1_112, flags: 0x18 },
    { direction: 1, gapUs: 310, payloadLen: 1_080, flags: 0x18 },
    { direction: 0, gapUs: 26_100, payloadLen: 48, flags: 0x18 },
    { direction: 1, gapUs: 9_080, payloadLen: 452, flags: 0x18 },
    { direction: 0, gapUs: 27_000, payloadLen: 16, flags: 0x18 },
    { direction: 0, gapUs: 48, payloadLen: 44, flags: 0x18 },
    { direction: 1, gapUs: 240, payloadLen: 44, flags: 0x18 },
    { direction: 0, gapUs: 25_200, payloadLen: 84, flags: 0x18 },
    { direction: 1, gapUs: 2_104_000, payloadLen: 52, flags: 0x18 },
    { direction: 0, gapUs: 1_080_400, payloadLen: 0, flags: 0x11 },
    { direction: 1, gapUs: 420, payloadLen: 0, flags: 0x11 },
    { direction: 0, gapUs: 24_500, payloadLen: 0, flags: 0x10 },
  ],
}

export function loginGuessing(): AlertEvent {
  const sessions = Array.from({ length: 64 }, (_, i) => ({
    atUs: 900e6 + i * 3.61e6 + (i % 5) * 90_000,
    bytes: 4_271 + (i % 3) * 16,
    durationUs: 3_412_908 + i * 1_000,
    odd: false,
  }))
  sessions.push({ atUs: 900e6 + 64 * 3.61e6, bytes: 28_954, durationUs: 41_300_000, odd: true })
  return {
    id: 'c90b66fe-brute.login',
    ...BASE,
    event: 'close',
    kind: 'brute.login',
    notEvaluated: [],
    title: 'Password guessing',
    likelihood: 0.942,
    band: 'likely malicious',
    severity: 'high',
    severityWhy: ['guessing logins is medium', 'one session looks like a success (one step up)'],
    attack: [{ id: 'T1110.001', name: 'Brute Force: Password Guessing', tactic: 'TA0006', tacticName: 'Credential Access' }],
    priorLog10: -2,
    arithmetic: [
      { name: 'prior', log10: -2, text: '1 %', evidenceIds: [] },
      { name: 'pattern', log10: 1.7, text: '×50', evidenceIds: ['E1', 'E2'] },
      { name: 'scale', log10: 1.3, text: '×20', evidenceIds: ['E3'] },
      { name: 'novelty', log10: 0.5, text: '×3.2', evidenceIds: ['E4'] },
      { name: 'benign', log10: -0.29, text: '÷1.9', evidenceIds: ['B1'] },
    ],
    evidence: [
      evidence('E1', {
        code: 'D8.flat',
        label: 'sessions all alike',
        claim: '{m0} sessions were of nearly the same size: they spread {m1} around their mean',
        measured: [num(64, 'count', '64'), num(0.31, 'percent', '0.3 %')],
        lr: 1.6,
        group: 'pattern',
        alt: 'a job that logs in on a schedule and does the same each time',
        next: 'read the login log of 10.0.0.12',
      }),
      evidence('E2', {
        code: 'D8.success',
        label: 'one stands out',
        claim: 'one session was unlike the others: {m0} where they have {m1}',
        measured: [num(28_954, 'B', '29 kB'), num(4_287, 'B', '4.3 kB')],
        lr: 0.3,
        group: 'pattern',
        next: 'list accepted logins at that moment',
      }),
      evidence('E3', {
        code: 'D8.sessions',
        label: 'many attempts',
        claim: '{m0} sessions within {m1}',
        measured: [num(65, 'count', '65'), num(272_340_000, 'us', '4 min 32 s')],
        lr: 1.3,
        group: 'scale',
        next: 'read the login log of 10.0.0.12',
      }),
      evidence('E4', {
        code: 'D8.new_client',
        label: 'new client',
        claim: '{x0} had not used this service before',
        names: ['198.51.100.23'],
        measured: [],
        lr: 0.5,
        group: 'novelty',
        next: 'ask whether a new remote workplace was set up',
      }),
    ],
    benign: [
      evidence('B1', {
        code: 'B4.regular',
        label: 'regular, as a job',
        claim: "sessions begin at a fixed interval, as a job's do: {m0} of {m1} gaps lie within a tenth of {m2}",
        measured: [num(51, 'count', '51'), num(64, 'count', '64'), num(3_610_000, 'us', '3.6 s')],
        lr: -0.29,
        group: 'benign',
        next: 'ask for scheduled jobs that log in to 10.0.0.12',
      }),
    ],
    wouldChange: ['Without “sessions all alike” the verdict would be “unclear”.'],
    actor: '198.51.100.23',
    actorSide: 'outside',
    victims: { addresses: ['10.0.0.12'], count: 1 },
    servicePort: 22,
    proto: 6,
    episode: {
      flows: 65,
      firstUs: 900e6,
      lastUs: 1_172_340_000,
      first: '2026-03-17T10:02:07.118250+0000',
      last: '2026-03-17T10:06:39.458250+0000',
    },
    flows: [LOGIN_SESSION],
    features: {
      flow_duration_us: 3_412_908,
      fwd_packets: 17,
      bwd_packets: 19,
      fwd_iat_mean: 213_306.75,
      flow_bytes_per_s: 1251.42617496633,
    },
    windowFeatures: {
      dst_flows_in_window: 65,
      src_entropy_PROTOCOL: 0,
      src_values_PROTOCOL: 1,
      src_IN_PKTS_sum: 1105,
      src_flows_in_window: 65,
      src_flag_SYN: 65,
    },
    pictures: [{ picture: 'sessions', sessions, omitted: 0 }],
  }
}

export const SAMPLES: readonly (() => AlertEvent)[] = [verticalScan, horizontalScan, loginGuessing]
