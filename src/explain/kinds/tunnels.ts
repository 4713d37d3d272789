/** dns.tunnel and icmp.tunnel: data carried by protocols that are let through (SCORER.md D12, D17). */
import { sentences } from '../words.ts'
import type { KindWords } from './kind.ts'
import { bpfFilter, SCAN_THRESHOLD, suricataRule, zeekQuery } from './rules.ts'
import { ownHost, scaledActions } from './scaled-actions.ts'

const DNS_ID = 4242311
const ICMP_ID = 4242312

export const DNS_TUNNEL: KindWords = {
  signatureId: DNS_ID,
  revision: 1,
  category: 'Malware Command and Control Activity Detected',
  happened: (f) => `${f.actor} asked ${f.victims} questions too large to be names that people look up, within ${f.span}.`,
  implications: (f) => [
    `Whoever runs a domain asked for this way can talk with ${f.actor} through any firewall that lets names be looked up.`,
    'The name server passes it on; it is seldom the one who wants it.',
    ...ownHost(f),
  ],
  vectors: () => ['Names looked up outside without a check of their length and number.'],
  undecidable: ['the names themselves, and hence the domain: payload is not read'],
  decidingCheck: (f) =>
    sentences(
      `Read the log of ${f.victims} for ${f.actor}: long random labels under one domain settle it;`,
      'names of a reputation service of your own virus scanner settle it the other way.',
    ),
  actions: (f) =>
    scaledActions(f, {
      watch: 'Look again if the number of questions grows.',
      look: [`On ${f.actor}: which process asks?`, 'In the log of the name server: which domain?'],
      act: `Block the domain at the name server, and keep ${f.actor} from asking others.`,
    }),
  longerTerm: () => ['Let only your own name servers ask outside, and log what they are asked.'],
  rule: (f) => ({
    suricata: suricataRule(f, {
      signatureId: DNS_ID,
      kind: 'dns.tunnel',
      port: f.alert.servicePort,
      threshold: SCAN_THRESHOLD,
      match: 'question',
      classtype: 'command-and-control',
    }),
    bpf: bpfFilter(f, f.alert.servicePort),
    zeek: zeekQuery(f, ['orig_bytes', 'resp_bytes', 'orig_pkts', 'resp_pkts']),
  }),
}

export const ICMP_TUNNEL: KindWords = {
  signatureId: ICMP_ID,
  revision: 1,
  category: 'Malware Command and Control Activity Detected',
  happened: (f) => `${f.actor} and ${f.victims} exchanged echoes of changing size that carry data, over ${f.span}.`,
  implications: (f) => [
    `Pings are let through where other traffic is not: data goes in and out past the rules between ${f.actor} and ${f.victims}.`,
    ...ownHost(f),
  ],
  vectors: () => ['Echoes of any size being let through.'],
  undecidable: ['what the echoes hold: payload is not read'],
  decidingCheck: () =>
    sentences('Look into the echoes of the packet slice: ping fills them with a pattern or a clock.', 'Anything else is data.'),
  actions: (f) =>
    scaledActions(f, {
      watch: 'Look again if it goes on.',
      look: [`On ${f.actor} and ${f.victims}: which process holds a raw socket?`],
      act: `Drop echoes between ${f.actor} and ${f.victims} beyond the size of ordinary pings.`,
    }),
  longerTerm: () => ['Limit the size and rate of echoes at the border.'],
  rule: (f) => ({
    suricata: suricataRule(f, {
      signatureId: ICMP_ID,
      kind: 'icmp.tunnel',
      port: null,
      threshold: SCAN_THRESHOLD,
      match: 'echo',
      classtype: 'command-and-control',
    }),
    bpf: bpfFilter(f, null),
    zeek: zeekQuery(f, ['orig_bytes', 'resp_bytes', 'orig_pkts', 'resp_pkts']),
  }),
}
