/** exfil.volume: a large upload to one outside server (SCORER.md D11). */
import type { Facts } from '../facts.ts'
import { sentences } from '../words.ts'
import type { KindWords } from './kind.ts'
import { bpfFilter, uploadRule, zeekQuery } from './rules.ts'
import { ownHost, scaledActions, service } from './scaled-actions.ts'

const SIGNATURE_ID = 4242401

/** What the detector asks for when the alert does not say. */
const FLOOR_BYTES = 50_000_000

/** The volume that a next upload is looked for with: the same that made this one an alert. */
function floorOf(f: Facts): number {
  for (const picture of f.alert.pictures) if (picture.picture === 'uploads') return Math.round(picture.floorBytes)
  return FLOOR_BYTES
}

function hasHistory(f: Facts): boolean {
  return f.alert.pictures.some((picture) => picture.picture === 'uploads' && picture.usual !== null)
}

export const EXFIL_VOLUME: KindWords = {
  signatureId: SIGNATURE_ID,
  revision: 1,
  category: 'Potentially Bad Traffic',
  happened: (f) => `${f.actor} sent far more to ${service(f, 'one service')} of ${f.victims} than it received, within ${f.span}.`,
  implications: (f) => [
    `If nobody meant it to, data of ${f.actor} now lies with whoever runs ${f.victims}.`,
    `Backups, cloud stores and releases look exactly like this${hasHistory(f) ? '' : '; without a record of other days the sensor cannot tell'}.`,
    ...ownHost(f),
  ],
  vectors: (f) => [`What ${f.actor} can read, including what it reaches on other hosts.`],
  undecidable: ['what was sent'],
  decidingCheck: (f) => sentences(`Ask the owner of ${f.actor} what was sent to ${f.victims}.`, 'A job that somebody can name settles it.'),
  actions: (f) =>
    scaledActions(f, {
      watch: 'Look again if it happens on other days.',
      look: [`On ${f.actor}: which process sent, and which files did it read?`, `Look up who owns ${f.victims}.`],
      act: `Block ${f.actor} from ${f.victims} until somebody names the job.`,
    }),
  longerTerm: () => ['Declare hosts that copy outside as backup hosts, so that others stand out.'],
  rule: (f) => ({
    suricata: uploadRule(f, {
      signatureId: SIGNATURE_ID,
      kind: 'exfil.volume',
      port: f.alert.servicePort,
      bytes: floorOf(f),
      classtype: 'policy-violation',
    }),
    bpf: bpfFilter(f, f.alert.servicePort),
    zeek: zeekQuery(f, ['duration', 'orig_bytes', 'resp_bytes']),
  }),
}
