/**
 * B5: the site has declared that this host's job looks like this.
 *
 * A declaration that holds sets a cap besides its weight: nobody wants an alert about their own scanner at any strength of
 * evidence. It has an owner, it may have a last day, and the episodes it holds back are counted.
 */

import { NetworkSet } from '../../base/address.ts'
import type { Kind } from '../detectors/table.ts'
import { num } from '../number.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft } from './benign.ts'

/** What each role explains; a role that is not here explains nothing. */
const ROLE_EXPLAINS: Readonly<Record<string, readonly Kind[]>> = {
  scanner: ['scan.horizontal', 'scan.vertical', 'sweep.icmp', 'sweep.arp', 'brute.login', 'lateral.fanout'],
  inventory: ['scan.horizontal', 'scan.vertical', 'sweep.icmp', 'sweep.arp', 'lateral.fanout'],
  monitoring: ['scan.horizontal', 'sweep.icmp', 'sweep.arp', 'brute.login', 'c2.beacon', 'lateral.fanout', 'icmp.tunnel'],
  admin: ['brute.login', 'lateral.fanout'],
  backup: ['brute.login', 'exfil.volume', 'lateral.fanout'],
  router: ['sweep.arp'],
  failover: ['mitm.arp'],
  load_test: ['flood.http', 'flood.syn', 'flood.tcp', 'flood.udp', 'flood.icmp', 'slow.http'],
}

const LR = -1.5
const CAP = 0.2
const SECONDS_PER_DAY = 86_400

export const DECLARED_ROLE: BenignRow = {
  id: 'B5',
  title: 'Declared role',
  appliesTo: [
    'scan.horizontal',
    'scan.vertical',
    'sweep.icmp',
    'sweep.arp',
    'mitm.arp',
    'brute.login',
    'c2.beacon',
    'exfil.volume',
    'lateral.fanout',
    'icmp.tunnel',
    'flood.http',
    'flood.syn',
    'flood.tcp',
    'flood.udp',
    'flood.icmp',
    'slow.http',
  ],
  lr: LR,
  ifTrue: 'this host had a declared role that explains it',
  ask,
}

function ask(question: BenignQuestion): BenignAnswer {
  const { actor, roles, sample, kind, nowSec } = question
  const words = { code: 'B5.role', label: 'declared role', next: 'Ask whoever answers for this host what it was doing.' }
  const holding = roles.declared.filter((role) => new NetworkSet([role.address]).has(actor) && isHolding(role.until, nowSec))
  const role = holding.find((r) => ROLE_EXPLAINS[r.role]?.some((explained) => explained === kind))
  if (role === undefined) {
    const claim = 'the configuration declares {m0} roles of {x0} that would explain this'
    const evidence = benignDraft({ ...words, claim }, 0, { measured: [num(0, 'count')], names: [actor], sample })
    return { evidence, cap: null, notEvaluated: [] }
  }
  const claim = '{x0} is declared as {x1}; {x2} answers for it'
  const evidence = benignDraft({ ...words, claim }, LR, { measured: [], names: [actor, role.role, role.owner], sample })
  return { evidence, cap: { limit: CAP, why: `the actor is declared as ${role.role}` }, notEvaluated: [] }
}

/** The last day counts whole. */
function isHolding(until: string | undefined, nowSec: number): boolean {
  if (until === undefined || until === '') return true
  return nowSec < Date.parse(`${until}T00:00:00Z`) / 1000 + SECONDS_PER_DAY
}
