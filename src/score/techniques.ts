/**
 * The ATT&CK techniques that verdicts may name, each once. Stated as "consistent with", never as proof.
 *
 * Source: MITRE ATT&CK Enterprise; choices per kind from CONVENTIONS.md section 8.
 */

import type { Technique } from './evidence.ts'

export const TECHNIQUES = {
  T1046: { id: 'T1046', name: 'Network Service Discovery', tactic: 'TA0007', tacticName: 'Discovery' },
  'T1595.001': { id: 'T1595.001', name: 'Active Scanning: Scanning IP Blocks', tactic: 'TA0043', tacticName: 'Reconnaissance' },
  'T1110.001': { id: 'T1110.001', name: 'Brute Force: Password Guessing', tactic: 'TA0006', tacticName: 'Credential Access' },
  'T1110.003': { id: 'T1110.003', name: 'Brute Force: Password Spraying', tactic: 'TA0006', tacticName: 'Credential Access' },
} as const satisfies Readonly<Record<string, Technique>>

export type TechniqueId = keyof typeof TECHNIQUES
