/**
 * All detectors, by the name of their section in the configuration. A new one is a file beside this and a line here.
 */

import type { OptionTable } from '../../base/option.ts'
import { BRUTE_LOGIN } from './brute-login.ts'
import type { Detector } from './detector.ts'
import { SCAN_HORIZONTAL } from './scan-horizontal.ts'
import { SCAN_VERTICAL } from './scan-vertical.ts'

export const DETECTORS = {
  detectors_scan_horizontal: SCAN_HORIZONTAL,
  detectors_scan_vertical: SCAN_VERTICAL,
  detectors_brute_login: BRUTE_LOGIN,
} as const satisfies Readonly<Record<string, Detector<OptionTable>>>

export type DetectorSection = keyof typeof DETECTORS

/** A kind that no detector has does not compile. */
export type Kind = (typeof DETECTORS)[DetectorSection]['kind']
