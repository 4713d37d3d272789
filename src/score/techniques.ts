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
  T1018: { id: 'T1018', name: 'Remote System Discovery', tactic: 'TA0007', tacticName: 'Discovery' },
  'T1557.002': {
    id: 'T1557.002',
    name: 'Adversary-in-the-Middle: ARP Cache Poisoning',
    tactic: 'TA0006',
    tacticName: 'Credential Access',
  },
  'T1021.001': { id: 'T1021.001', name: 'Remote Services: Remote Desktop Protocol', tactic: 'TA0008', tacticName: 'Lateral Movement' },
  'T1021.002': { id: 'T1021.002', name: 'Remote Services: SMB/Windows Admin Shares', tactic: 'TA0008', tacticName: 'Lateral Movement' },
  'T1021.004': { id: 'T1021.004', name: 'Remote Services: SSH', tactic: 'TA0008', tacticName: 'Lateral Movement' },
  T1570: { id: 'T1570', name: 'Lateral Tool Transfer', tactic: 'TA0008', tacticName: 'Lateral Movement' },
  'T1071.001': { id: 'T1071.001', name: 'Application Layer Protocol: Web Protocols', tactic: 'TA0011', tacticName: 'Command and Control' },
  'T1071.004': { id: 'T1071.004', name: 'Application Layer Protocol: DNS', tactic: 'TA0011', tacticName: 'Command and Control' },
  T1008: { id: 'T1008', name: 'Fallback Channels', tactic: 'TA0011', tacticName: 'Command and Control' },
  T1071: { id: 'T1071', name: 'Application Layer Protocol', tactic: 'TA0011', tacticName: 'Command and Control' },
  T1095: { id: 'T1095', name: 'Non-Application Layer Protocol', tactic: 'TA0011', tacticName: 'Command and Control' },
  T1571: { id: 'T1571', name: 'Non-Standard Port', tactic: 'TA0011', tacticName: 'Command and Control' },
  T1572: { id: 'T1572', name: 'Protocol Tunneling', tactic: 'TA0011', tacticName: 'Command and Control' },
  T1573: { id: 'T1573', name: 'Encrypted Channel', tactic: 'TA0011', tacticName: 'Command and Control' },
  T1041: { id: 'T1041', name: 'Exfiltration Over C2 Channel', tactic: 'TA0010', tacticName: 'Exfiltration' },
  T1048: { id: 'T1048', name: 'Exfiltration Over Alternative Protocol', tactic: 'TA0010', tacticName: 'Exfiltration' },
  'T1048.003': {
    id: 'T1048.003',
    name: 'Exfiltration Over Alternative Protocol: Exfiltration Over Unencrypted Non-C2 Protocol',
    tactic: 'TA0010',
    tacticName: 'Exfiltration',
  },
  T1190: { id: 'T1190', name: 'Exploit Public-Facing Application', tactic: 'TA0001', tacticName: 'Initial Access' },
  'T1498.001': { id: 'T1498.001', name: 'Network Denial of Service: Direct Network Flood', tactic: 'TA0040', tacticName: 'Impact' },
  'T1498.002': { id: 'T1498.002', name: 'Network Denial of Service: Reflection Amplification', tactic: 'TA0040', tacticName: 'Impact' },
  'T1499.001': { id: 'T1499.001', name: 'Endpoint Denial of Service: OS Exhaustion Flood', tactic: 'TA0040', tacticName: 'Impact' },
  'T1499.002': { id: 'T1499.002', name: 'Endpoint Denial of Service: Service Exhaustion Flood', tactic: 'TA0040', tacticName: 'Impact' },
} as const satisfies Readonly<Record<string, Technique>>

export type TechniqueId = keyof typeof TECHNIQUES
