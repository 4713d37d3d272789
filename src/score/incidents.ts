/**
 * Episodes that belong together, in order of time: scan → guess → movement → command → exfiltration (SCORER.md section 5.3).
 *
 * In:  episodes as they open and go on. Out: the chain an episode belongs to, and what belonging adds to a later step's likelihood.
 * Not: a chain by victims alone. An earlier victim becomes the later actor only after a sign that the earlier step succeeded.
 * The invariant: bounded by hosts and members; a host is forgotten after a day without a step.
 */

import { hash32 } from '../context/distinct-window.ts'
import { HostTable } from '../context/host-table.ts'
import type { Draft } from './detectors/detector.ts'
import type { Incident, IncidentMember } from './evidence.ts'
import { num } from './number.ts'

const REMEMBERED_US = 24 * 3600e6
const HOSTS_MAX = 4096
const MEMBERS_MAX = 16
const VICTIMS_LINKED_MAX = 16

/** How far along the chain a kind is; kinds that are not here start none and join none. */
const STEPS: Readonly<Record<string, number>> = {
  'scan.vertical': 1,
  'scan.horizontal': 1,
  'sweep.icmp': 1,
  'sweep.arp': 1,
  'brute.login': 2,
  'mitm.arp': 2,
  'lateral.fanout': 3,
  'c2.beacon': 4,
  'c2.deadpeer': 4,
  'dns.tunnel': 4,
  'icmp.tunnel': 4,
  'exfil.volume': 5,
}

/** Steps after which the victim may act for the intruder. */
const TAKES_OVER: ReadonlySet<string> = new Set(['brute.login', 'lateral.fanout'])

export interface Step {
  id: string
  kind: string
  title: string
  actor: string
  victims: readonly string[]
  /** eve time of the first packet. */
  first: string
  firstUs: number
  hasSucceeded: boolean
}

interface Member extends IncidentMember {
  step: number
  firstUs: number
}

interface Chain {
  members: Member[]
}

const LR = 0.5

export class Incidents {
  joinedCount = 0
  readonly #byHost = new HostTable<{ chain: Chain }>(HOSTS_MAX, REMEMBERED_US)
  readonly #byEpisode = new HostTable<{ chain: Chain }>(HOSTS_MAX, REMEMBERED_US)

  advance(nowUs: number): void {
    this.#byHost.advance(nowUs)
    this.#byEpisode.advance(nowUs)
  }

  /** What earlier steps say for an episode that is not yet told; null when it would be the first of its chain. */
  supportFor(kind: string, actor: string, sample: Draft['sample']): Draft | null {
    const step = STEPS[kind]
    const chain = this.#byHost.peek(actor)?.chain
    if (step === undefined || chain === undefined) return null
    const earlier = chain.members.filter((member) => member.step < step && member.firstUs <= sample.toUs)
    if (earlier.length === 0) return null
    return {
      code: 'I.chain',
      label: 'follows earlier alerts',
      claim: '{m0} earlier alerts lead to this one, the latest of them {x0} by {x1} against {x2}',
      measured: [num(earlier.length, 'count')],
      names: [earlier[earlier.length - 1].kind, earlier[earlier.length - 1].actor, earlier[earlier.length - 1].victim],
      sample,
      lr: LR,
      group: 'incident',
      basis: 'expert',
      supports: 'malicious',
      next: 'Read the earlier alerts of this incident first: if they were harmless, this step loses its weight.',
    }
  }

  /** An episode opened or went on. */
  note(step: Step): void {
    const rank = STEPS[step.kind]
    if (rank === undefined || step.actor === 'many') return
    const known = this.#byEpisode.get(step.id)?.chain
    const chain = known ?? this.#byHost.get(step.actor)?.chain ?? { members: [] }
    if (known === undefined) this.#join(chain, step, rank)
    this.#remember(step.actor, chain)
    if (!TAKES_OVER.has(step.kind) || !step.hasSucceeded) return
    for (const victim of step.victims.slice(0, VICTIMS_LINKED_MAX)) {
      if (this.#byHost.peek(victim) === undefined) this.#remember(victim, chain)
    }
  }

  /** The chain of an episode with two members or more. */
  incidentOf(id: string): Incident | null {
    const chain = this.#byEpisode.peek(id)?.chain
    if (chain === undefined || chain.members.length < 2) return null
    const members = chain.members.map(({ step, firstUs, ...member }) => member)
    return { id: `fi-${hash32(members[0].id).toString(16).padStart(8, '0')}`, members }
  }

  #join(chain: Chain, step: Step, rank: number): void {
    if (chain.members.length >= MEMBERS_MAX) return
    const { id, kind, title, actor, first, firstUs } = step
    if (chain.members.length > 0) this.joinedCount++
    chain.members.push({ id, kind, title, actor, victim: step.victims[0] ?? 'unknown', first, step: rank, firstUs })
    chain.members.sort((a, b) => a.firstUs - b.firstUs)
    this.#byEpisode.getOrCreate(id, () => ({ chain }))
  }

  #remember(host: string, chain: Chain): void {
    this.#byHost.getOrCreate(host, () => ({ chain })).chain = chain
  }
}
