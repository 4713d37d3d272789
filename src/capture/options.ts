/**
 * How a live line is captured. The command line's -i, -f, -s, -B and --driver come before what stands here.
 *
 * Out: the option table of the configuration's section `capture`.
 */
import type { OptionTable } from '../base/option.ts'
import { CAP_LEN_MAX } from './slab.ts'

export const CAPTURE_OPTIONS = {
  driver: {
    kind: 'text',
    default: 'ring',
    oneOf: ['ring', 'cap'],
    unit: '',
    comment:
      'Ring is our own, compiled at set-up; cap is the portable package for systems where that is not possible: arrival time instead of packet time, and no count of lost packets.',
  },
  queues: {
    kind: 'integer',
    default: 1,
    min: 1,
    max: 64,
    unit: 'threads',
    comment:
      'Threads that share the packets of each interface, by flow (PACKET_FANOUT, driver ring on Linux). Each has its own buffer and its part of flow.max_flows. Worth it when one thread loses packets. What belongs together must be seen to belong together by the kernel: fragments, and errors of ICMP, may come to another queue than their flow; inside VXLAN, GENEVE and GTP both directions may. Keep 1 there.',
  },
  filter: { kind: 'text', default: '', unit: '', comment: 'A BPF expression as of tcpdump; empty takes every packet.' },
  snap_length_B: {
    kind: 'integer',
    default: 2048,
    min: 64,
    max: CAP_LEN_MAX,
    unit: 'B',
    comment:
      'Octets kept of a frame. Wire lengths count, so headers would do; 2048 keeps whole frames for evidence. tcpdump and Suricata keep all.',
  },
  buffer_KiB: {
    kind: 'integer',
    default: 65_536,
    min: 64,
    max: 1_048_576,
    unit: 'KiB',
    comment: 'Memory between kernel and sensor, for each interface: what holds a burst. tcpdump 2048.',
  },
  memory_MiB: {
    kind: 'integer',
    default: 64,
    min: 0,
    max: 65_536,
    unit: 'MiB',
    comment:
      'The last packets that a live run remembers, for the slices beside reports (output.slices), taken at start: the rate of the line times how far back they shall reach. A replay uses it for standard input and pipes only; files are read again. 0: none.',
  },
  deduplicate: {
    kind: 'flag',
    default: true,
    unit: '',
    comment:
      'Whether second copies of a packet, as a mirror port makes them of what it shows coming in and going out, are left out and counted. Only what is proven to be a copy is. The command flows counts all, as CICFlowMeter does.',
  },
  checksums: {
    kind: 'text',
    default: 'auto',
    oneOf: ['none', 'auto', 'all'],
    unit: '',
    comment:
      'Of which packets checksums are looked at; auto takes one in sixteen for ten minutes, then one in 1,024. They are counted only: every packet is metered. Suricata (-k) and Zeek throw packets with wrong ones away.',
  },
  promiscuous: { kind: 'flag', default: true, unit: '', comment: 'Whether frames to other hosts are taken, as a mirror port needs.' },
} as const satisfies OptionTable
