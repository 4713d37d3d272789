/**
 * B3: the pair has been seen for weeks. It needs a stored baseline; without one it is listed as not evaluated.
 *
 * Out: never evidence yet. The row stands so that reports say what was not looked at, and "what would change this" can name it.
 */

import type { BenignRow } from './benign.ts'

export const LONG_KNOWN_PAIR: BenignRow = {
  id: 'B3',
  title: 'Long-known pair',
  appliesTo: ['c2.beacon', 'c2.deadpeer', 'exfil.volume', 'dns.tunnel', 'icmp.tunnel', 'lateral.fanout'],
  lr: -0.8,
  ifTrue: 'these two hosts had been doing this for a month',
  ask: () => ({
    evidence: null,
    cap: null,
    notEvaluated: [{ code: 'B3.known_pair', why: 'whether these hosts have known each other for weeks: no baseline is kept yet' }],
  }),
}
