/**
 * A small office from a seed: hosts that browse, look names up and read mail in working hours, a little at night.
 *
 * Out: flows in row order, times in seconds from the run's base second.
 */

import type { Flow } from '../../../src/flow/flow.ts'
import { seeded } from '../../seeded.ts'
import { datagramAnswered, inRowOrder, session } from '../flows.ts'

const HOUR_S = 3600
const DAY_S = 24 * HOUR_S

export interface WorldOptions {
  seed: number
  days: number
  hosts: number
  /** Mean seconds between two tasks of one host. */
  everySec: number
  /** From this second on the office does something else: large uploads by ssh to other servers. */
  changesAtSec?: number
}

export const hostName = (i: number): string => `10.0.1.${i + 1}`

export function office({ seed, days, hosts, everySec, changesAtSec = Number.POSITIVE_INFINITY }: WorldOptions): Flow[] {
  const random = seeded(seed)
  const flows: Flow[] = []
  for (let host = 0; host < hosts; host++) {
    for (let at = random() * everySec; at < days * DAY_S; at += everySec * (0.3 + 1.4 * random())) {
      flows.push(...task(hostName(host), at, random, at >= changesAtSec))
    }
  }
  return inRowOrder(flows)
}

function task(client: string, at: number, random: () => number, hasChanged: boolean): Flow[] {
  const lognormal = (median: number, spread: number): number =>
    Math.round(median * Math.exp(spread * (random() + random() + random() - 1.5) * 2))
  const pick = Math.floor(random() ** 2 * 12)
  if (hasChanged) {
    return [session({ client, server: `198.51.${pick}.9`, port: 22, at }, lognormal(400_000, 0.5), lognormal(900, 0.5), 20 + 40 * random())]
  }
  const kind = random()
  const lookUp = datagramAnswered({ client, server: '10.0.0.53', port: 53, at: at - 0.05 })
  if (kind < 0.1) return [session({ client, server: '10.0.0.25', port: 993, at }, lognormal(300, 0.4), lognormal(2000, 0.8), 1 + random())]
  return [
    lookUp,
    session({ client, server: `203.0.${pick}.9`, port: 443, at }, lognormal(900, 0.7), lognormal(20_000, 1.2), 0.2 + 3 * random()),
  ]
}

export { DAY_S, HOUR_S }
