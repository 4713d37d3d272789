/** A kind that this version has no words for: the evidence speaks alone. */
import type { KindWords } from './kind.ts'
import { bpfFilter, SCAN_THRESHOLD, suricataRule, zeekQuery } from './rules.ts'

const SIGNATURE_ID = 4242999

export const OTHER: KindWords = {
  signatureId: SIGNATURE_ID,
  revision: 1,
  category: 'Potentially Bad Traffic',
  happened: (f) => `${f.actor} behaved towards ${f.victims} as the key indicators below say.`,
  implications: () => ['What follows from it depends on what the deciding check shows.'],
  vectors: () => [],
  undecidable: ['what was said: payload is not read'],
  decidingCheck: (f) => `Ask the owner of ${f.actor} what ran on it at the time above.`,
  actions: (f) => (f.urgency === 'watch' ? ['None now.'] : [`On ${f.actor}: which process and which user sent these packets?`]),
  longerTerm: () => [],
  rule: (f) => ({
    suricata: suricataRule(f, {
      signatureId: SIGNATURE_ID,
      kind: 'other',
      port: f.alert.servicePort,
      threshold: SCAN_THRESHOLD,
      classtype: 'bad-unknown',
    }),
    bpf: bpfFilter(f, f.alert.servicePort),
    zeek: zeekQuery(f, ['conn_state', 'history']),
  }),
}
