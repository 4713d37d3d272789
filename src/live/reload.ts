/**
 * What of a new configuration a running sensor puts in force, and what waits for the next start.
 *
 * In:  the configuration in force and the new one. Out: one to run on; the key paths of what changed, each list in the file's order.
 * Not: reading files (config.ts), nor the putting in force, which is live.ts's.
 *
 * A key that is not listed here waits: new options are safe before anyone has thought about them. Flow timeouts and the sizes of tables
 * wait on purpose: rows of one run are measured by one ruler, and memory is taken at start.
 */
import type { Config, SectionName } from '../config.ts'
import { DETECTORS } from '../score/detectors/table.ts'

/** By section: all keys but those named. */
const AT_ONCE: Readonly<Partial<Record<SectionName, { except: readonly string[] }>>> = {
  networks: { except: [] },
  ...Object.fromEntries(Object.keys(DETECTORS).map((section) => [section, { except: [] }])),
  alerts: { except: ['episodes_max'] },
  roles: { except: [] },
  mutes: { except: [] },
  log: { except: [] },
  output: { except: ['folder', 'slices'] },
  syslog: { except: [] },
  metrics: { except: [] },
  capture: { except: ['driver', 'queues', 'snap_length_B', 'buffer_KiB', 'memory_MiB', 'promiscuous'] },
}

export interface Reload {
  /** What holds from now on: the new value where it can be put in force, else the old one. */
  inForce: Config
  atOnce: string[]
  later: string[]
}

export function planReload(before: Config, after: Config): Reload {
  const inForce: Record<string, Record<string, unknown>> = {}
  const plan: Reload = { inForce: before, atOnce: [], later: [] }
  for (const name of Object.keys(after) as SectionName[]) {
    const old: Readonly<Record<string, unknown>> = before[name]
    const rule = AT_ONCE[name]
    const section: Record<string, unknown> = { ...old }
    inForce[name] = section
    for (const [key, value] of Object.entries(after[name])) {
      if (JSON.stringify(value) === JSON.stringify(old[key])) continue
      const isAtOnce = rule !== undefined && !rule.except.includes(key)
      if (isAtOnce) section[key] = value
      ;(isAtOnce ? plan.atOnce : plan.later).push(`${name}.${key}`)
    }
  }
  // Each key is of one of two checked configurations.
  plan.inForce = inForce as unknown as Config
  return plan
}
