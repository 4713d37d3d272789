/**
 * What detectors ask the baseline about a client and its server; the same answer wherever there is too little to say.
 *
 * Out: the client's history when a day of it was learnt, else null; whether the pair is new, as evidence or as not evaluated.
 */

import { CLIENT, SERVER } from '../../context/contact.ts'
import type { HostHistory } from '../../context/host-history.ts'
import { num } from '../number.ts'
import type { Draft, Look, Weight } from './detector.ts'
import { draft, TOO_LITTLE_HISTORY } from './detector.ts'

const HOURS_A_DAY = 24
/** So long a host must have been known before "new to it" means something. */
const KNOWN_DAYS_MIN = 7
/** Seen for the first time within a day: today, or yesterday late. */
const NEW_DAYS_MAX = 1

export function historyOf({ judged, context }: Look): HostHistory | null {
  const history = context.histories.host(judged.addr[CLIENT])
  return history?.isUsable === true ? history : null
}

/** The server is new for a host that has been known for a week. `claim` takes the days of the host as {m0} and the server as {x0}. */
export function newPairDrafts(
  code: string,
  weight: Weight,
  look: Look,
  sample: Draft['sample'],
): { drafts: Draft[]; notEvaluated: { code: string; why: string }[] } {
  const { judged, context } = look
  const history = historyOf(look)
  const knownDays = history === null ? 0 : (context.histories.hour - history.firstHour) / HOURS_A_DAY
  if (knownDays < KNOWN_DAYS_MIN) {
    const why = history === null ? TOO_LITTLE_HISTORY : 'less than a week of this host is in the baseline'
    return { drafts: [], notEvaluated: [{ code, why: `whether this server is new to the host: ${why}` }] }
  }
  const pair = context.histories.pair(judged.addr[CLIENT], judged.addr[SERVER])
  const isNew = pair === undefined || Math.floor(context.histories.hour / HOURS_A_DAY) - pair.firstDay < NEW_DAYS_MAX
  if (!isNew) return { drafts: [], notEvaluated: [] }
  const measured = [num(Math.floor(knownDays), 'count')]
  return { drafts: [draft(code, weight, { measured, names: [judged.addr[SERVER]], sample })], notEvaluated: [] }
}
