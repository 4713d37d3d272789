/**
 * Every kind of alert that has words: one row each, its file beside it under `kinds/`.
 *
 * Out: the kind's words and eve numbers by its name. The names are score/'s.
 * The invariant: signature ids are unique and never change (a test holds this).
 */
import { BRUTE_LOGIN } from './kinds/brute-login.ts'
import type { KindWords } from './kinds/kind.ts'
import { OTHER } from './kinds/other.ts'
import { SCAN_HORIZONTAL } from './kinds/scan-horizontal.ts'
import { SCAN_VERTICAL } from './kinds/scan-vertical.ts'

/** eve's `gid` of all our alerts: keeps their ids apart from rules' ids. */
export const GENERATOR_ID = 4242

export const KINDS: Readonly<Record<string, KindWords>> = {
  'scan.vertical': SCAN_VERTICAL,
  'scan.horizontal': SCAN_HORIZONTAL,
  'brute.login': BRUTE_LOGIN,
}

export function kindWords(kind: string): KindWords {
  return Object.hasOwn(KINDS, kind) ? KINDS[kind] : OTHER
}
