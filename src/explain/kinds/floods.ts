/** flood.syn, flood.tcp, flood.udp, flood.icmp, flood.http, slow.http: a server is kept from serving (SCORER.md D5, D6, D13). */
import type { Facts } from '../facts.ts'
import { sentences } from '../words.ts'
import type { KindWords } from './kind.ts'
import { ADDRESS_REQUESTS_THRESHOLD, bpfFilter, FLOOD_THRESHOLD, SLOW_THRESHOLD, suricataRule, zeekQuery } from './rules.ts'
import { ownHost, scaledActions, service } from './scaled-actions.ts'

const DHCP_PORT = 67

interface FloodParts {
  signatureId: number
  kind: string
  happened: (f: Facts) => string
  harm: (f: Facts) => string
  check: (f: Facts) => string
  measure: (f: Facts) => string
  later: readonly string[]
  threshold?: string
  /** Connections were made: who answers a server's SYN is where its address says. */
  isAnswered?: true
}

function flood(parts: FloodParts): KindWords {
  return {
    signatureId: parts.signatureId,
    revision: 1,
    category: 'Detection of a Denial of Service Attack',
    happened: parts.happened,
    implications: (f) => [parts.harm(f), ...ownHost(f)],
    vectors: (f) => [`${service(f, 'Any port')} of ${f.victims}, as far as it is reachable from where the packets come.`],
    undecidable: [
      parts.isAnswered === true
        ? 'what was asked for: payload is not read'
        : 'whether the source addresses are real: a sender can write what it likes',
    ],
    decidingCheck: parts.check,
    actions: (f) =>
      scaledActions(f, {
        watch: `Look again if ${f.victims} answers slowly.`,
        look: [`On ${f.victims}: read load, open connections and answer times of that time.`],
        act: parts.measure(f),
      }),
    longerTerm: () => parts.later,
    rule: (f) => ({
      suricata: suricataRule(f, {
        signatureId: parts.signatureId,
        kind: parts.kind,
        port: f.alert.servicePort,
        threshold: f.alert.servicePort === DHCP_PORT ? ADDRESS_REQUESTS_THRESHOLD : (parts.threshold ?? FLOOD_THRESHOLD),
        classtype: 'denial-of-service',
      }),
      bpf: bpfFilter(f, f.alert.servicePort),
      zeek: zeekQuery(f, ['proto', 'conn_state', 'orig_pkts', 'orig_bytes']),
    }),
  }
}

export const FLOOD_SYN = flood({
  signatureId: 4242201,
  kind: 'flood.syn',
  happened: (f) => `${f.actor} began connections to ${f.victims} at the rate of a flood and left them half open, within ${f.span}.`,
  harm: (f) => `While its table of half-open connections is full, ${f.victims} takes no new ones from anybody.`,
  check: (f) => `On ${f.victims}: are there far more half-open than established connections, and do other clients still get through?`,
  measure: (f) => `Turn on SYN cookies on ${f.victims}, and limit new connections from ${f.actor} at the firewall.`,
  later: ['Keep SYN cookies on everywhere, and agree with the uplink provider who filters when.'],
})

export const FLOOD_TCP = flood({
  signatureId: 4242206,
  kind: 'flood.tcp',
  happened: (f) => `${f.actor} sent ${f.victims} TCP segments of no connection at the rate of a flood within ${f.span}.`,
  harm: (f) => `Each segment costs ${f.victims}, and every firewall before it, a search for a connection that is not there.`,
  check: (f) => `Was ${f.victims}, or a firewall before it, restarted then, so that it no longer knew its connections?`,
  measure: (f) => `Let the firewall before ${f.victims} drop segments of no connection without an answer, those of ${f.actor} first.`,
  later: ['Filter statefully before the servers, and keep the state when a firewall fails over.'],
})

/** Requests for addresses flood the pool of addresses, not a link. */
const asksForAddresses = (f: Facts): boolean => f.alert.servicePort === DHCP_PORT

export const FLOOD_UDP = flood({
  signatureId: 4242202,
  kind: 'flood.udp',
  happened: (f) =>
    asksForAddresses(f)
      ? `Requests for addresses (DHCP) came from ${f.actor} at the rate of a flood within ${f.span}.`
      : `${f.actor} sent ${f.victims} UDP packets at the rate of a flood within ${f.span}.`,
  harm: (f) =>
    asksForAddresses(f)
      ? 'The server may run out of addresses: hosts that start then get none, or get one from a server that somebody set up for it.'
      : `The link to ${f.victims}, or the service on it, has no room left for others.`,
  check: (f) =>
    asksForAddresses(f)
      ? 'Read the leases of the DHCP server: hardware addresses that no device of yours has settle it; a building after a power cut shows known ones.'
      : `Ask whether ${f.victims} expects a stream, a copy or a speed test from ${f.actor}.`,
  measure: (f) =>
    asksForAddresses(f)
      ? 'Find the switch port that the requests come from, and limit it to the hardware addresses that belong there (port security, DHCP snooping).'
      : `Drop this traffic towards ${f.victims} as far upstream as you can.`,
  later: ['Let UDP from outside reach only the ports that need it.'],
})

export const FLOOD_ICMP = flood({
  signatureId: 4242203,
  kind: 'flood.icmp',
  happened: (f) => `${f.actor} sent ${f.victims} ICMP packets at the rate of a flood within ${f.span}.`,
  harm: (f) => `The link to ${f.victims}, or its processor, has less room for others.`,
  check: (f) => `Ask whether somebody tested the path to ${f.victims} with floods of pings.`,
  measure: (f) => `Limit the rate of ICMP towards ${f.victims}.`,
  later: ['Limit the rate of ICMP at the border; do not drop it whole, path discovery needs it.'],
})

export const FLOOD_HTTP = flood({
  signatureId: 4242204,
  kind: 'flood.http',
  happened: (f) => `${f.actor} opened web connections to ${f.victims} at a rate that people do not make, within ${f.span}.`,
  harm: (f) => `The web server on ${f.victims} answers this instead of its other clients.`,
  check: (f) =>
    sentences(
      `Read the access log of ${f.victims} over that time:`,
      'one address asked for over and over is a flood or a load test; many different ones are a crawler.',
    ),
  measure: (f) => `Limit connections of ${f.actor} to ${service(f, 'the web server')} of ${f.victims}.`,
  later: ['Limit requests a client in front of the web server, and cache what does not change.'],
  isAnswered: true,
})

export const SLOW_HTTP = flood({
  signatureId: 4242205,
  kind: 'slow.http',
  happened: (f) =>
    `${f.actor} held many connections to ${service(f, 'one service')} of ${f.victims} open and sent next to nothing on each.`,
  harm: (f) => `A server that keeps a place for each connection runs out of places: ${f.victims} looks up but serves nobody.`,
  check: (f) => `On ${f.victims}: does the server's status page show requests that never finish, all from ${f.actor}?`,
  measure: (f) => `Close the connections of ${f.actor} on ${f.victims} and limit how many it may hold.`,
  later: ['Set a time limit for request headers and bodies, and put a server in front that waits for whole requests.'],
  threshold: SLOW_THRESHOLD,
  isAnswered: true,
})
