/**
 * What an ordinary flow looks like: names for the report of a flow that raised no alert (SCORER.md section 6 B).
 *
 * In:  a judged flow. Out: the first pattern that fits, with the measurement that it rests on.
 * Not: proof. A pattern says what a flow looks like from its header fields; whoever wants to can look like it.
 * The invariant: a pattern only fits by what was measured; what was not measured can fit none.
 */
import { CLIENT, SERVER } from '../context/contact.ts'
import type { Measured } from '../flow/flow.ts'
import { TCP, UDP } from '../flow/flow.ts'
import type { Draft } from './detectors/detector.ts'
import type { Num } from './evidence.ts'
import { num } from './number.ts'
import type { Judged } from './orientation.ts'

const US_PER_S = 1e6

export type PatternName =
  | 'unanswered.probe.in'
  | 'server.half'
  | 'discovery.multicast'
  | 'dns.lookup'
  | 'time.sync'
  | 'mail'
  | 'remote.admin'
  | 'file.share'
  | 'db.query'
  | 'poll.monitoring'
  | 'vpn.tunnel'
  | 'media.call'
  | 'download'
  | 'push.keepalive'
  | 'web.browse'
  | 'p2p'
  | 'unclassified'

export interface Pattern {
  name: PatternName
  title: string
  evidence: Draft | null
}

interface PatternRow {
  name: PatternName
  title: string
  /** log10 likelihood ratio when it fits. */
  lr: number
  claim: string
  next: string
  fits(judged: Judged): Num[] | null
}

const WEB_PORTS: ReadonlySet<number> = new Set([80, 443, 8080, 8443])
const MAIL_PORTS: ReadonlySet<number> = new Set([25, 110, 143, 465, 587, 993, 995])
const ADMIN_PORTS: ReadonlySet<number> = new Set([22, 23, 3389, 5900, 5985, 5986])
const SHARE_PORTS: ReadonlySet<number> = new Set([139, 445, 2049])
const DATABASE_PORTS: ReadonlySet<number> = new Set([1433, 1521, 3306, 5432, 6379, 9042, 27_017])
const MONITORING_PORTS: ReadonlySet<number> = new Set([161, 623, 5666, 9100, 10_050, 10_051])
const VPN_PORTS: ReadonlySet<number> = new Set([500, 1194, 1701, 4500, 51_820])
const PUSH_PORTS: ReadonlySet<number> = new Set([443, 993, 5222, 5223, 5228, 8883])
const DISCOVERY_PORTS: ReadonlySet<number> = new Set([67, 68, 137, 138, 546, 547, 1900, 3702, 5353, 5355])
const VPN_PROTOCOLS: ReadonlySet<number> = new Set([47, 50, 51])

const DOWNLOAD_BYTES_MIN = 100_000
/** PCR below -0.9: the client sent less than a nineteenth of what the server did. */
const DOWNLOAD_CLIENT_SHARE_MAX = 1 / 19
const KEEPALIVE_S_MIN = 60
const KEEPALIVE_PPS_MAX = 1
const CALL_PPS_MIN = 20
const CALL_PPS_MAX = 200
const CALL_BYTES_MIN = 60
const CALL_BYTES_MAX = 1300

function sum([a, b]: readonly [Measured, Measured]): Measured {
  return a === null || b === null ? null : a + b
}

function seconds(judged: Judged): number {
  return (judged.lastUs - judged.startUs) / US_PER_S
}

/** To or from this service, whatever was said. */
function onPort(ports: ReadonlySet<number>, protos: readonly number[]): PatternRow['fits'] {
  return (judged) => {
    const port = judged.port[SERVER]
    return ports.has(port) && protos.includes(judged.proto) && judged.outcome !== 'failed' ? [num(port, 'port')] : null
  }
}

function call(judged: Judged): Num[] | null {
  const [out, back] = judged.packets
  const lasted = seconds(judged)
  const bytes = sum(judged.payloadBytes)
  if (judged.proto !== UDP || out === null || back === null || bytes === null || lasted < 1) return null
  const rates = [out / lasted, back / lasted]
  const mean = bytes / (out + back)
  if (rates.some((rate) => rate < CALL_PPS_MIN || rate > CALL_PPS_MAX) || mean < CALL_BYTES_MIN || mean > CALL_BYTES_MAX) return null
  return [num(rates[0], 'pps'), num(rates[1], 'pps'), num(mean, 'B')]
}

function download(judged: Judged): Num[] | null {
  const [out, back] = judged.payloadBytes
  if (back === null || back < DOWNLOAD_BYTES_MIN) return null
  if (out !== null) return out <= back * DOWNLOAD_CLIENT_SHARE_MAX ? [num(back, 'B'), num(out, 'B')] : null
  const [sent, received] = judged.packets
  // Without the client's octets: it sent fewer packets, as one that acknowledges does.
  return sent !== null && received !== null && sent < received ? [num(back, 'B')] : null
}

function keepalive(judged: Judged): Num[] | null {
  const packets = sum(judged.packets)
  const lasted = seconds(judged)
  if (judged.proto !== TCP || packets === null || !PUSH_PORTS.has(judged.port[SERVER]) || lasted < KEEPALIVE_S_MIN) return null
  return packets <= lasted * KEEPALIVE_PPS_MAX ? [num(packets, 'count'), num(lasted, 's')] : null
}

const PATTERNS: readonly PatternRow[] = [
  {
    name: 'unanswered.probe.in',
    title: 'Unanswered probe from outside',
    lr: -0.5,
    claim: 'a probe from outside to port {m0} that got no answer: every exposed address sees them',
    next: 'None: only an answer would make it worth a look.',
    fits: (judged) => (judged.direction === 'in' && judged.outcome === 'failed' ? [num(judged.port[SERVER], 'port')] : null),
  },
  {
    name: 'discovery.multicast',
    title: 'Discovery on the local network',
    lr: -1,
    claim: 'sent to a group address or a discovery port ({m0}), where all hosts of a network speak',
    next: 'Compare with what other hosts of the same network send.',
    fits: (judged) =>
      judged.isToGroup || (judged.proto === UDP && DISCOVERY_PORTS.has(judged.port[SERVER])) ? [num(judged.port[SERVER], 'port')] : null,
  },
  {
    name: 'server.half',
    title: 'Server half of an ordinary session',
    lr: -1,
    claim: 'only what the server on port {m0} sent is in the record: exporters of one direction write the other half apart',
    next: "Find the client's half: the same addresses and ports, the other way round, at the same time.",
    fits: (judged) => (judged.halves === 'resp' && judged.orientation.how !== 'guess' ? [num(judged.port[SERVER], 'port')] : null),
  },
  {
    name: 'dns.lookup',
    title: 'Name lookup',
    lr: -1,
    claim: 'a lookup at a name server, port {m0}',
    next: "Look the query up in the resolver's log.",
    fits: onPort(new Set([53, 853]), [TCP, UDP]),
  },
  {
    name: 'time.sync',
    title: 'Clock synchronisation',
    lr: -1,
    claim: 'a question for the time, port {m0}',
    next: 'Compare the server with the configured time servers.',
    fits: onPort(new Set([123]), [UDP]),
  },
  {
    name: 'vpn.tunnel',
    title: 'VPN tunnel',
    lr: -0.5,
    claim: 'a tunnel by its protocol or port ({m0})',
    next: 'Compare both ends with the tunnels that your site runs.',
    fits: (judged) =>
      VPN_PROTOCOLS.has(judged.proto) || (judged.proto === UDP && VPN_PORTS.has(judged.port[SERVER]) && judged.outcome !== 'failed')
        ? [num(judged.port[SERVER], 'port')]
        : null,
  },
  {
    name: 'media.call',
    title: 'Call or stream',
    lr: -1,
    claim: '{m0} one way and {m1} the other, {m2} of payload a packet: the shape of speech or video',
    next: 'Ask the user whether there was a call.',
    fits: call,
  },
  {
    name: 'download',
    title: 'Download',
    lr: -1,
    claim: '{m0} came from the server to the client: data came in',
    next: "See the name in the proxy's log or the TLS certificate of the server.",
    fits: download,
  },
  {
    name: 'mail',
    title: 'Mail',
    lr: -0.5,
    claim: 'a session with a mail server, port {m0}',
    next: "See the mail server's log.",
    fits: onPort(MAIL_PORTS, [TCP]),
  },
  {
    name: 'push.keepalive',
    title: 'Kept-open connection',
    lr: -1,
    claim: '{m0} packets in {m1}: a connection that is held open and seldom used, as push channels, mail folders and long polls are',
    next: 'Find out which program on the client holds the connection.',
    fits: keepalive,
  },
  {
    name: 'remote.admin',
    title: 'Remote administration',
    lr: -0.3,
    claim: 'a session of remote administration, port {m0}',
    next: "Compare with the server's own log of logins.",
    fits: onPort(ADMIN_PORTS, [TCP]),
  },
  {
    name: 'file.share',
    title: 'File share',
    lr: -0.3,
    claim: 'a session with a file server, port {m0}',
    next: "See the file server's log.",
    fits: onPort(SHARE_PORTS, [TCP, UDP]),
  },
  {
    name: 'db.query',
    title: 'Database session',
    lr: -0.3,
    claim: 'a session with a database, port {m0}',
    next: "See the database's log of connections.",
    fits: onPort(DATABASE_PORTS, [TCP]),
  },
  {
    name: 'poll.monitoring',
    title: 'Monitoring',
    lr: -0.5,
    claim: 'a question of monitoring, port {m0}',
    next: 'Compare the asking host with your monitoring servers.',
    fits: onPort(MONITORING_PORTS, [TCP, UDP]),
  },
  {
    name: 'web.browse',
    title: 'Web session',
    lr: -0.5,
    claim: 'a session with a web server, port {m0}',
    next: "See the name in the proxy's log or the TLS certificate of the server.",
    fits: onPort(WEB_PORTS, [TCP, UDP]),
  },
  {
    name: 'p2p',
    title: 'Peer to peer',
    lr: -0.3,
    claim: 'datagrams both ways between two ports that are no service, {m0} in all',
    next: 'Ask the user about calls, games and file sharing.',
    fits: (judged) => {
      const packets = sum(judged.packets)
      const isHigh = judged.orientation.how === 'guess' && judged.port.every((port) => port >= 1024)
      return judged.proto === UDP && isHigh && judged.halves === 'both' && packets !== null ? [num(packets, 'count')] : null
    },
  },
]

export function patternOf(judged: Judged, sample: Draft['sample']): Pattern {
  for (const { name, title, lr, claim, next, fits } of PATTERNS) {
    const measured = fits(judged)
    if (measured === null) continue
    const label = title.charAt(0).toLowerCase() + title.slice(1)
    const evidence: Draft = {
      code: `N.${name}`,
      label,
      claim,
      measured,
      names: [],
      sample,
      lr,
      group: 'benign',
      basis: 'expert',
      supports: 'benign',
      next,
    }
    return { name, title, evidence }
  }
  return { name: 'unclassified', title: 'Flow of no known pattern', evidence: null }
}

/** For callers that only want to know whether the client's side was seen. */
export function isClientUnseen(judged: Judged): boolean {
  return judged.flow.record?.isOneWay === true && judged.packets[CLIENT] === 0
}
