/**
 * What kinds have in common that tell about the capture or the network as a whole, never about anybody.
 *
 * In:  the flow that such a thing is told with, and what was measured. Out: rows of a detector; a finding with no actor of its own.
 * Not: a kind; each names its own measurement, window and limit.
 */
import { CLIENT, SERVER } from '../../context/contact.ts'
import type { Draft, Finding, Look } from './detector.ts'
import { assessment } from './detector.ts'

export const INFORMATION = {
  techniques: { fromInside: [], fromOutside: [], manyVictims: [] },
  priorLog10: -2,
  severityBase: 0,
  isBackgroundFromOutside: false,
  opensFrom: 0,
  isAnomalyOnly: true,
} as const

export function informationFinding({ judged }: Look, firstUs: number, evidence: () => Draft): Finding {
  return {
    actor: 'many',
    victim: judged.addr[SERVER] === '' ? judged.addr[CLIENT] : judged.addr[SERVER],
    keyPart: '',
    flowsInWindow: 1,
    firstUs,
    victims: () => [],
    telling: 0,
    assess: () => assessment({ evidence: [evidence()], servicePort: null, scaleRatio: 0 }),
  }
}
