/**
 * What is known about a run whose line is shared by several queues: the facts of each, put together.
 *
 * In:  the facts of each queue's meter. Out: the same of all: counts added up, states as bad as the worst.
 */

import type { LinkState } from '../capture/ring-addon.ts'
import type { HealthFacts, InterfaceFacts, LiveCounters, LiveFacts } from './metering.ts'

/** From good to bad. */
const STATES: readonly LinkState[] = ['up', 'down', 'gone']

/** @param all at least one */
export function sumOfFacts(all: readonly LiveFacts[]): LiveFacts {
  const sum = (value: (of: LiveFacts) => number): number => all.reduce((total, one) => total + value(one), 0)
  return {
    interfaces: all[0].interfaces.map((_, i) => sumOfInterface(all.map(({ interfaces }) => interfaces[i]))),
    packets: sum(({ packets }) => packets),
    wireBytes: sum(({ wireBytes }) => wireBytes),
    notDecoded: sumOfReasons(all),
    flowsOpen: sum(({ flowsOpen }) => flowsOpen),
    flowsCreated: sum(({ flowsCreated }) => flowsCreated),
    evictedFlows: sum(({ evictedFlows }) => evictedFlows),
    stalls: sum(({ stalls }) => stalls),
    bugs: sum(({ bugs }) => bugs),
    notRecorded: sum(({ notRecorded }) => notRecorded),
    recordFault: all.find(({ recordFault }) => recordFault !== null)?.recordFault ?? null,
    queues: all.length,
    turnsNotWaitedFor: sum(({ turnsNotWaitedFor }) => turnsNotWaitedFor),
    counters: sumOfCounters(all.map(({ counters }) => counters)),
  }
}

function sumOfInterface(all: readonly InterfaceFacts[]): InterfaceFacts {
  const worst = all.reduce((bad, one) => (STATES.indexOf(one.state) > STATES.indexOf(bad.state) ? one : bad))
  const sum = (key: 'received' | 'droppedByKernel' | 'droppedByInterface'): number | null =>
    all.reduce((total: number | null, one) => {
      const count = one[key]
      return total === null || count === null ? null : total + count
    }, 0)
  return {
    ...worst,
    // The interface came back once, not once a queue.
    reopenings: Math.max(...all.map(({ reopenings }) => reopenings)),
    received: sum('received'),
    droppedByKernel: sum('droppedByKernel'),
    // Each handle is told of all that the card lost.
    droppedByInterface: all.some((one) => one.droppedByInterface === null)
      ? null
      : Math.max(...all.map((one) => one.droppedByInterface ?? 0)),
    health: sumOfNumbers<HealthFacts>(all.map(({ health }) => health)),
  }
}

function sumOfReasons(all: readonly LiveFacts[]): LiveFacts['notDecoded'] {
  const counts = new Map<string, number>()
  for (const { reason, count } of all.flatMap(({ notDecoded }) => notDecoded)) counts.set(reason, (counts.get(reason) ?? 0) + count)
  return [...counts].map(([reason, count]) => ({ reason, count }))
}

function sumOfCounters(all: readonly LiveCounters[]): LiveCounters {
  const { rowsEnded: _, ...table } = all[0].table
  const tables = all.map(({ table: { rowsEnded: _rows, ...rest } }) => rest)
  return {
    decoded: all.reduce((sum, { decoded }) => sum + decoded, 0),
    cutShort: all.reduce((sum, { cutShort }) => sum + cutShort, 0),
    dropped: sumOfLists(all.map(({ dropped }) => dropped)),
    notOpened: sumOfLists(all.map(({ notOpened }) => notOpened)),
    table: {
      ...sumOfNumbers<typeof table>(tables),
      rowsEnded: sumOfLists(all.map(({ table: { rowsEnded } }) => rowsEnded)),
      // One clock for all.
      clockSteps: Math.max(...tables.map(({ clockSteps }) => clockSteps)),
    },
    watch: sumOfNumbers<LiveCounters['watch']>(all.map(({ watch }) => watch)),
  }
}

function sumOfLists(all: readonly (readonly number[])[]): number[] {
  return all[0].map((_, i) => all.reduce((sum, one) => sum + one[i], 0))
}

/** Of records that hold nothing but counts. */
function sumOfNumbers<T extends { [K in keyof T]: number }>(all: readonly T[]): T {
  const sum: Record<string, number> = {}
  for (const one of all) for (const [key, count] of Object.entries<number>(one)) sum[key] = (sum[key] ?? 0) + count
  // Every key of T is there, since every record has them all.
  return sum as T
}
