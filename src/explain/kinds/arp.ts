/** sweep.arp and mitm.arp: looking for hosts and taking their place, below IP (SCORER.md D4, D19). */
import type { Facts } from '../facts.ts'
import { code } from '../markdown.ts'
import type { DetectionRule, KindWords } from './kind.ts'
import { ownHost, scaledActions } from './scaled-actions.ts'

/** Suricata's rules read no ARP; tcpdump and Zeek do. */
function ruleFor(f: Facts, mac: string | null, bpf: string, event: 'arp_request' | 'arp_reply', name: string): DetectionRule {
  const signature = 'mac_src: string, mac_dst: string, SPA: addr, SHA: string, TPA: addr, THA: string'
  const condition = mac !== null ? `SHA == "${mac}"` : f.actorAddress !== null ? `SPA == ${f.actorAddress}` : 'T'
  const script = `event ${event}(${signature}) { if (${condition}) print "${name}", network_time(), SPA, SHA, TPA; }`
  return { suricata: null, bpf, zeek: `zeek -C -i INTERFACE -e '${script}'` }
}

/** The claimant's card: the strongest evidence names it first. */
function cardOf(f: Facts): string | null {
  return f.macs[0] ?? f.actorMac
}

function sender(f: Facts, mac: string | null): string {
  if (mac !== null) return `arp and ether src ${mac}`
  return f.actorAddress === null ? 'arp' : `arp and src host ${f.actorAddress}`
}

export const SWEEP_ARP: KindWords = {
  signatureId: 4242005,
  revision: 1,
  category: 'Detection of a Network Scan',
  happened: (f) => `${f.actor} asked by ARP for ${f.victims} within ${f.span}, most of them addresses that nobody uses.`,
  implications: (f) => [
    `Whoever controls ${f.actor} now knows which addresses of its segment are in use, firewalls on hosts notwithstanding.`,
    'Only a card on this segment can ask so: whoever did it is already here.',
    ...ownHost(f),
  ],
  vectors: () => ['The hosts that answered.'],
  undecidable: ['why somebody looked'],
  decidingCheck: (f) => `Ask whether ${f.actor} is meant to look for hosts: inventory, monitoring, an administrator who seeks a device.`,
  actions: (f) =>
    scaledActions(f, {
      watch: `Look again if ${f.actor} opens connections to hosts that answered.`,
      look: [`On ${f.actor}: which process and which user looked for hosts?`, 'In the switch: which port is this card on?'],
      act: `Keep ${f.actor} from reaching other hosts until the deciding check is done.`,
    }),
  longerTerm: () => [
    'Declare your own inventory, monitoring and routers, so that an undeclared host stands out.',
    'Keep guests and unknown devices on a segment of their own.',
  ],
  rule: (f) => ruleFor(f, f.actorMac, sender(f, f.actorMac), 'arp_request', 'asked'),
}

export const MITM_ARP: KindWords = {
  signatureId: 4242006,
  revision: 1,
  category: 'Misc Attack',
  happened: (f) => `${f.actor} told ${f.victims} on this segment that addresses of others are at its own network card.`,
  implications: (f) => [
    `Whoever controls ${f.actor} can read, change and hold back what these hosts send each other through these addresses.`,
    'Passwords that were sent without encryption in that time are known; encrypted sessions may have been held up or downgraded.',
    ...ownHost(f),
  ],
  vectors: () => ['Logins, name lookups and updates without encryption.', 'Certificates that somebody clicked away.'],
  undecidable: ['whether packets were read or changed on their way: payload is not read'],
  decidingCheck: (f) =>
    `Look up in the switch on which port card ${code(cardOf(f) ?? f.alert.actor)} is, and whether the machine there is meant to answer for these addresses.`,
  actions: (f) =>
    scaledActions(f, {
      watch: 'Look again if the card that held the address before still speaks.',
      look: [
        'In the switch: which port is the card on, and which machine is it?',
        `On ${f.victims}: compare the gateway’s entry in the ARP cache (\`ip neigh\`, \`arp -a\`) with the gateway’s own card.`,
      ],
      act: 'Shut the switch port of that card, then empty the ARP caches of the hosts that were told.',
    }),
  longerTerm: () => [
    'Turn on dynamic ARP inspection with DHCP snooping in the switches: they then drop claims that no lease backs.',
    'Give servers a static ARP entry for their gateway; let arpwatch keep a list of addresses and cards.',
    'Declare pairs that stand in for each other (role `failover`), so that others stand out.',
  ],
  rule: (f) => ruleFor(f, cardOf(f), sender(f, cardOf(f)), 'arp_reply', 'told'),
}
