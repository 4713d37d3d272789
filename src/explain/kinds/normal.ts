/** Flows that raised no alert: the harmless reading first, and nothing to be done. */
import type { KindWords } from './kind.ts'
import { bpfFilter, SCAN_THRESHOLD, suricataRule, zeekQuery } from './rules.ts'

/** Kinds of flows by what they look like; score/normal-patterns.ts has the names. */
export const NORMAL_PREFIX = 'normal.'
const SIGNATURE_ID = 4242900

const NO_RULE = { suricata: '', bpf: '', zeek: '' } as const

export const NORMAL: KindWords = {
  signatureId: SIGNATURE_ID,
  revision: 1,
  category: 'Potentially Bad Traffic',
  happened: (f) =>
    `One flow ${f.alert.actor === 'unknown' ? 'between hosts that the record does not name' : `of ${f.actor} with ${f.victims}`}${f.port === '' ? '' : `, ${f.port}`}: ${f.alert.title.charAt(0).toLowerCase()}${f.alert.title.slice(1)}, no alert.`,
  implications: () => ['None: a flow like this is what ordinary use looks like. It was reported because all flows were asked for.'],
  vectors: () => [],
  undecidable: ['what was said: payload is not read', 'whether the peer is the one that its address and port suggest'],
  decidingCheck: (f) => {
    const [benign] = f.alert.benign
    return benign === undefined ? `Ask the owner of ${f.actor} what ran on it at the time above.` : benign.next
  },
  actions: () => ['None. Do not isolate a host, and revoke nothing, for a flow like this.'],
  longerTerm: () => [
    'Let the sensor learn a baseline of this network: then it can say how unusual a flow is here.',
    'Meter both directions, and keep addresses in the records: most verdicts need both.',
  ],
  // A rule for any host would fire on everybody's ordinary traffic.
  rule: (f) =>
    f.actorAddress === null
      ? NO_RULE
      : {
          suricata: suricataRule(f, {
            signatureId: SIGNATURE_ID,
            kind: 'flow',
            port: f.alert.servicePort,
            threshold: SCAN_THRESHOLD,
            classtype: 'misc-activity',
          }),
          bpf: bpfFilter(f, f.alert.servicePort),
          zeek: zeekQuery(f, ['conn_state', 'history']),
        },
}
