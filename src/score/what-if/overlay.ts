/**
 * An object as it is, but for some of its members.
 *
 * In:  any object, methods and private fields included, and what differs. Out: something that reads like it; the object is untouched.
 * Not: a copy. It is used while the object stands still, inside one judgement.
 */
import type { Look } from '../detectors/detector.ts'

export function overlay<T extends object>(whole: T, changed: Partial<T>): T {
  return new Proxy(whole, {
    get: (target, key): unknown => {
      if (Object.hasOwn(changed, key)) return Reflect.get(changed, key)
      const value: unknown = Reflect.get(target, key, target)
      // Methods reach private fields, which only the object itself has.
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** The same flow, had its surroundings been otherwise. */
export function lookWith(look: Look, observed: Partial<Look['observed']>): Look {
  return { ...look, observed: { ...look.observed, ...observed } }
}
