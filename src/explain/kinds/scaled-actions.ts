/** Actions by urgency: nothing, a look, or a measure before the look. */
import type { Facts } from '../facts.ts'

interface Actions {
  watch: string
  look: readonly string[]
  act: string
}

export function scaledActions(f: Facts, { watch, look, act }: Actions): readonly string[] {
  if (f.urgency === 'watch') return [`None now. ${watch}`]
  return f.urgency === 'check' ? look : [act, ...look]
}

export function ownHost(f: Facts): readonly string[] {
  return f.isActorInside === true ? [`${f.actor} is one of your own hosts: either somebody works from it, or something runs on it.`] : []
}

export function service(f: Facts, otherwise: string): string {
  return f.port === '' ? otherwise : f.port
}
