/**
 * What can be wrong with a mirror port: one row is one fault, with how it shows and what cures it.
 *
 * In:  an `Observation`, and what is known of the interface. Out: the faults found, each with its measured numbers and commands.
 * Not: faults that keep a port from being opened at all; those are commands/doctor.ts's.
 *
 * `fault`: verdicts made from this port would be wrong or blind. `note`: worth knowing, and taken care of.
 */
import type { Observation } from './observation.ts'

export type Severity = 'fault' | 'note'

export interface Found {
  id: string
  severity: Severity
  /** What was measured, in one sentence, and the same as numbers. */
  text: string
  measured: Readonly<Record<string, number>>
  /** Commands and settings that cure it, the surest first. */
  cures: readonly string[]
}

export interface Patient {
  observation: Observation
  /** Interface name for the commands; 'IF' when a file was looked at. */
  device: string
  isLive: boolean
  /** Whether frames to other hosts are taken; null when it cannot be known. */
  isPromiscuous: boolean | null
  damage: readonly string[]
}

interface Row {
  id: string
  severity: Severity | ((patient: Patient) => Severity)
  /** null: the port does not have it. */
  find(patient: Patient): Pick<Found, 'text' | 'measured' | 'cures'> | null
}

/** Connections from which on the share of half-seen ones means something, as for an alert's visibility (SCORER.md section 3). */
const CONNECTIONS_MIN = 10
const BOTH_SHARE_MIN = 0.8
/** Acknowledgements and checksums below these numbers say nothing. */
const ACKS_MIN = 50
const CHECKSUMS_MIN = 20
const FRAMES_MIN = 20
const SHARE_TOLD = 0.01
const GROUP_SHARE = 0.95
const OWN_SHARE = 0.95

const SPAN_BOTH =
  "on the switch, mirror both directions: 'monitor session 1 source interface … both' (Cisco), 'ingress' and 'egress' (Juniper)"

export const FAULTS: readonly Row[] = [
  {
    id: 'no-traffic',
    severity: 'fault',
    find: ({ observation: { frames }, device }) =>
      frames > 0
        ? null
        : {
            text: 'not a single packet came',
            measured: { frames },
            cures: [
              `ip link show ${device}   # is there a link?`,
              "on the switch, check the mirror session's destination port: 'show monitor session 1'",
            ],
          },
  },
  {
    id: 'damaged-file',
    severity: 'fault',
    find: ({ damage }) =>
      damage.length === 0
        ? null
        : {
            text: `the file is damaged: ${damage.join('; ')}`,
            measured: { places: damage.length },
            cures: ['record it again; end tcpdump with Ctrl-C or SIGTERM, not SIGKILL'],
          },
  },
  {
    id: 'link-type-unknown',
    severity: 'fault',
    find: ({ observation }) => {
      const count = reasonCount(observation, ({ reason }) => reason === 'link_type_unknown')
      return count === 0
        ? null
        : {
            text: `${shareOf(count, observation.frames, 'frames')} have a link type that is not read`,
            measured: { frames: observation.frames, unknown: count },
            cures: ['capture on the Ethernet interface itself (tcpdump -D lists them; -L its link types)'],
          }
    },
  },
  {
    id: 'no-mirror',
    severity: 'fault',
    find: ({ observation: { frames, groupFrames }, device }) =>
      frames < FRAMES_MIN || groupFrames < GROUP_SHARE * frames
        ? null
        : {
            text: `${shareOf(groupFrames, frames, 'frames')} are broadcast or multicast: this is an ordinary port, not a mirror`,
            measured: { frames, broadcastOrMulticast: groupFrames },
            cures: [
              "on the switch, make it the destination of a mirror session: 'monitor session 1 destination interface …' (Cisco), 'analyzer' (Juniper)",
              `sudo ip link set ${device} promisc on`,
            ],
          },
  },
  {
    id: 'own-traffic-only',
    severity: 'fault',
    find: ({ observation: { frames, groupFrames, ownFrames }, device }) => {
      const unicast = frames - groupFrames
      if (ownFrames === null || unicast < FRAMES_MIN || ownFrames < OWN_SHARE * unicast) return null
      return {
        text: `${shareOf(ownFrames, unicast, 'frames to single hosts')} are this host's own: no other traffic is mirrored here`,
        measured: { unicast, own: ownFrames },
        cures: [`give the mirror an interface of its own, and capture there`, `sudo ip link set ${device} promisc on`],
      }
    },
  },
  {
    id: 'promiscuous-off',
    severity: 'fault',
    find: ({ isPromiscuous, device }) =>
      isPromiscuous !== false
        ? null
        : {
            text: 'the interface takes only frames that are addressed to this host',
            measured: {},
            cures: ['capture.promiscuous: true in the configuration', `sudo ip link set ${device} promisc on`],
          },
  },
  {
    id: 'one-direction',
    severity: 'fault',
    find: ({ observation: { bothDirections, oneDirection } }) => {
      const total = bothDirections + oneDirection
      if (total < CONNECTIONS_MIN || bothDirections >= BOTH_SHARE_MIN * total) return null
      return {
        text: `${shareOf(oneDirection, total, 'TCP connections with data')} were seen in one direction only`,
        measured: { connections: total, oneDirection },
        cures: [SPAN_BOTH, 'a tap gives each direction on a port of its own: flowscribe run -i IF1 -i IF2'],
      }
    },
  },
  {
    id: 'duplicates',
    severity: 'fault',
    find: ({ observation: { frames, seen } }) =>
      seen.duplicates < SHARE_TOLD * frames || seen.duplicates < 3
        ? null
        : {
            text: `${shareOf(seen.duplicates, frames, 'frames')} are second copies of a packet seen just before`,
            measured: { frames, copies: seen.duplicates },
            cures: [
              "on the switch, mirror each packet once: the ports, or the VLAN, or one direction ('rx') of all ports, not several of them",
              'until then the sensor leaves proven copies out (capture.deduplicate: true)',
            ],
          },
  },
  {
    id: 'vlan-on-one-side',
    severity: 'fault',
    find: ({ observation: { twoWayConversations, tagOnOneSide } }) =>
      tagOnOneSide < 3 || tagOnOneSide < 0.1 * twoWayConversations
        ? null
        : {
            text: `${shareOf(tagOnOneSide, twoWayConversations, 'conversations seen both ways')} carry a VLAN tag in one direction only`,
            measured: { conversations: twoWayConversations, tagOnOneSide },
            cures: [
              "on the switch, keep tags in both directions: 'monitor session 1 destination interface … encapsulation replicate' (Cisco)",
              'keep flow.vlan_in_key: false, or each conversation becomes two flows',
            ],
          },
  },
  {
    id: 'loss-in-kernel',
    severity: 'fault',
    find: ({ observation: { seen }, device }) =>
      seen.lostByKernel === 0
        ? null
        : {
            text: `the kernel dropped ${shareOf(seen.lostByKernel, seen.lostByKernel + seen.packets, 'packets')}: its buffer was full`,
            measured: { dropped: seen.lostByKernel, packets: seen.packets },
            cures: [
              `flowscribe run -i ${device} -B 262144   # a larger buffer (capture.buffer_KiB)`,
              "flowscribe run -f 'not port 22' …   # less traffic",
              'give the sensor a core of its own: taskset, CPUAffinity=',
            ],
          },
  },
  {
    id: 'loss-in-interface',
    severity: 'fault',
    find: ({ observation: { seen }, device }) =>
      seen.lostByInterface === 0
        ? null
        : {
            text: `the interface dropped ${shareOf(seen.lostByInterface, seen.lostByInterface + seen.packets, 'packets')}`,
            measured: { dropped: seen.lostByInterface, packets: seen.packets },
            cures: [
              `sudo ethtool -G ${device} rx 4096   # a larger ring; ethtool -g shows the most it takes`,
              `ethtool -S ${device}   # where`,
            ],
          },
  },
  {
    id: 'loss-before-host',
    severity: 'fault',
    find: ({ observation: { seen } }) => {
      const ratio = seen.ackGaps / seen.acks
      const lostHere = (seen.lostByKernel + seen.lostByInterface) / Math.max(1, seen.packets)
      // What the host itself dropped shows in acknowledgements, too.
      if (seen.acks < ACKS_MIN || ratio < SHARE_TOLD || ratio < 2 * lostHere) return null
      return {
        text: `${shareOf(seen.ackGaps, seen.acks, 'acknowledgements')} are of data that never came: packets are lost before they reach this host`,
        measured: { acks: seen.acks, ackGaps: seen.ackGaps },
        cures: [
          "the mirror port carries more than it can: mirror fewer ports, or only one direction on each of two ports; 'show interface' counts its output drops",
          'use a tap, or a faster mirror port',
        ],
      }
    },
  },
  {
    id: 'cut-short',
    severity: ({ observation }) => (observation.headersCut > 0 ? 'fault' : 'note'),
    find: ({ observation: { frames, cutShort, snapLen, headersCut } }) =>
      cutShort === 0
        ? null
        : {
            text: `${shareOf(cutShort, frames, 'frames')} were kept only in part, ${count(snapLen)} octets at most${
              headersCut > 0 ? `; ${count(headersCut)} of them lack a header` : '; all headers are there'
            }`,
            measured: { frames, cutShort, snapLen_B: snapLen, headersCut },
            cures: ['tcpdump -s 0 …, or flowscribe run -s 0 (capture.snap_length_B)'],
          },
  },
  {
    id: 'receive-offload',
    severity: 'fault',
    find: ({ observation: { frames, seen, largestTcp }, device }) =>
      seen.oversize < 3
        ? null
        : {
            text: `${shareOf(seen.oversize, frames, 'packets')} are larger than a TCP segment can be (up to ${count(largestTcp)} octets): this host merged several into one`,
            measured: { packets: frames, oversize: seen.oversize, largest_B: largestTcp },
            cures: [`sudo ethtool -K ${device} gro off lro off tso off gso off`],
          },
  },
  {
    id: 'empty-checksums',
    severity: 'note',
    find: ({ observation: { seen }, device }) =>
      seen.checksumsLooked < CHECKSUMS_MIN || seen.checksumsEmpty < SHARE_TOLD * seen.checksumsLooked
        ? null
        : {
            text: `${shareOf(seen.checksumsEmpty, seen.checksumsLooked, 'checksums')} were not filled in yet: recorded on a sending host with transmit offload`,
            measured: { looked: seen.checksumsLooked, empty: seen.checksumsEmpty },
            cures: [
              `sudo ethtool -K ${device} tx off   # only for recordings that other tools check: the sensor counts these packets as they are`,
            ],
          },
  },
  {
    id: 'wrong-checksums',
    severity: 'fault',
    find: ({ observation: { seen }, device }) =>
      seen.checksumsLooked < CHECKSUMS_MIN || seen.checksumsBad < 3 || seen.checksumsBad < SHARE_TOLD * seen.checksumsLooked
        ? null
        : {
            text: `${shareOf(seen.checksumsBad, seen.checksumsLooked, 'checksums')} are wrong: packets are damaged, or were changed, on the way here`,
            measured: { looked: seen.checksumsLooked, wrong: seen.checksumsBad },
            cures: [`ethtool -S ${device}   # CRC errors? Then change cable, transceiver or tap`],
          },
  },
  {
    id: 'clock-set-back',
    severity: 'fault',
    find: ({ observation: { backSteps, largestBackStep_s } }) =>
      backSteps === 0
        ? null
        : {
            text: `time went back ${count(backSteps)} ${backSteps === 1 ? 'time' : 'times'}, by up to ${seconds(largestBackStep_s)}`,
            measured: { backSteps, largestBackStep_s },
            cures: [
              'let the clock be slewed, not stepped: chronyd without makestep after start',
              'do not join files in the wrong order: mergecap orders them',
            ],
          },
  },
  {
    id: 'disorder',
    severity: 'note',
    find: ({ observation: { frames, disordered } }) =>
      disordered < SHARE_TOLD * frames || disordered === 0
        ? null
        : {
            text: `${shareOf(disordered, frames, 'frames')} are a little out of order in time; the sensor puts them right`,
            measured: { frames, disordered },
            cures: ['reordercap IN OUT   # for other tools; live, one receive queue: sudo ethtool -L IF combined 1'],
          },
  },
  {
    id: 'wrapper-not-read',
    severity: 'fault',
    find: ({ observation }) => {
      const { frames } = observation
      // Nothing of a flow is missing in ARP.
      const notOpened = observation.notOpened.filter(({ reason }) => reason !== 'arp')
      const total = notOpened.reduce((sum, one) => sum + one.count, 0)
      if (total < SHARE_TOLD * frames || total === 0) return null
      return {
        text: `${shareOf(total, frames, 'frames')} carry something in a wrapper that is not read (${notOpened.map(({ reason }) => reason).join(', ')})`,
        measured: { frames, notOpened: total },
        cures: ['let the mirror send plain frames, or GRE, ERSPAN, VXLAN, GENEVE, IP-in-IP, GTP-U or TZSP without encryption'],
      }
    },
  },
  {
    id: 'wrappers',
    severity: 'note',
    find: ({ observation: { frames, wrappers } }) => {
      const total = wrappers.reduce((sum, one) => sum + one.packets, 0)
      if (total === 0) return null
      return {
        text: `${shareOf(total, frames, 'frames')} come in wrappers, which are opened: ${wrappers.map(({ kind, packets }) => `${kind} ${count(packets)}`).join(', ')}`,
        measured: { frames, wrapped: total },
        cures: ['nothing to do: flows are those inside the wrapper'],
      }
    },
  },
  {
    id: 'malformed',
    severity: 'note',
    find: ({ observation }) => {
      const broken = reasonCount(observation, ({ group }) => group === 'malformed' || group === 'depth')
      if (broken === 0 || broken < SHARE_TOLD * observation.frames) return null
      return {
        text: `${shareOf(broken, observation.frames, 'frames')} have headers that contradict themselves`,
        measured: { frames: observation.frames, malformed: broken },
        cures: ["tshark -Y '_ws.malformed' …   # shows them"],
      }
    },
  },
  {
    id: 'little-seen',
    severity: 'note',
    find: ({ observation: { frames, seconds: span, bothDirections, oneDirection } }) => {
      const connections = bothDirections + oneDirection
      if (frames === 0 || connections >= CONNECTIONS_MIN) return null
      return {
        text: `${connections === 0 ? 'no' : `only ${count(connections)}`} TCP ${connections === 1 ? 'connection' : 'connections'} with data in ${seconds(span)}: too few to tell whether both directions come`,
        measured: { connections, seconds: span },
        cures: ['look longer: --for 10m'],
      }
    },
  },
]

/** In the table's order, faults first. */
export function diagnose(patient: Patient): Found[] {
  const found = FAULTS.flatMap((row): Found[] => {
    const one = row.find(patient)
    if (one === null) return []
    return [{ id: row.id, severity: typeof row.severity === 'function' ? row.severity(patient) : row.severity, ...one }]
  })
  return [...found.filter(({ severity }) => severity === 'fault'), ...found.filter(({ severity }) => severity === 'note')]
}

function reasonCount({ notDecoded }: Observation, isMeant: (row: Observation['notDecoded'][number]) => boolean): number {
  return notDecoded.filter(isMeant).reduce((sum, row) => sum + row.count, 0)
}

/** '1,234' */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** '412 of 9,000 frames (4.6 %)' */
function shareOf(part: number, whole: number, things: string): string {
  const percent = (100 * part) / Math.max(1, whole)
  return `${count(part)} of ${count(whole)} ${things} (${percent >= 10 ? Math.round(percent) : percent.toPrecision(2)} %)`
}

export function seconds(value: number): string {
  if (value < 10) return `${Number(value.toPrecision(2))} s`
  return value < 600 ? `${Math.round(value)} s` : `${count(value / 60)} min`
}
