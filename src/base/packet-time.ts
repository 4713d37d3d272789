/**
 * Packet time in words. A time is float64 microseconds relative to the run's base second.
 *
 * In:  `baseSec`, whole seconds since 1970 (UTC), and microseconds relative to it.
 * Out: text in the forms that the field's formats want. No clock is read here or anywhere between capture and sinks.
 */

const US_PER_S = 1e6

interface Instant {
  /** YYYY-MM-DDTHH:MM:SS */
  second: string
  /** Whole microseconds inside the second, six digits. */
  fraction: string
}

function instant(baseSec: number, timeUs: number): Instant {
  const offsetSec = Math.floor(timeUs / US_PER_S)
  const fractionUs = Math.floor(timeUs - offsetSec * US_PER_S)
  return { second: formatSecond(baseSec + offsetSec), fraction: String(fractionUs).padStart(6, '0') }
}

/** Date's range ends at ±8.64e12 s; capture files hold at most 2^32 s, pcapng any 64-bit number. */
function formatSecond(sec: number): string {
  const clamped = Math.min(Math.max(sec, -62_135_596_800), 253_402_300_799)
  return new Date(clamped * 1000).toISOString().slice(0, 19)
}

/** `2026-08-23T10:11:12.123456+0000`: Suricata eve's form. */
export function eveTime(baseSec: number, timeUs: number): string {
  const at = instant(baseSec, timeUs)
  return `${at.second}.${at.fraction}+0000`
}

/** `2026-08-23 10:11:12[.123[456]]` UTC, the fraction left out when 0 and cut to milliseconds when whole: the corrected CICFlowMeter's form. */
export function cicTime(baseSec: number, timeUs: number): string {
  const at = instant(baseSec, timeUs)
  const day = at.second.replace('T', ' ')
  if (at.fraction === '000000') return day
  return `${day}.${at.fraction.endsWith('000') ? at.fraction.slice(0, 3) : at.fraction}`
}

/** `23/08/2026 10:11:12 AM` UTC, the fraction dropped: the original CICFlowMeter's form. */
export function twelveHourTime(baseSec: number, timeUs: number): string {
  const { second } = instant(baseSec, timeUs)
  const [year, month, day] = second.slice(0, 10).split('-')
  const hour = Number(second.slice(11, 13))
  return `${day}/${month}/${year} ${String(hour % 12 || 12).padStart(2, '0')}${second.slice(13)} ${hour < 12 ? 'AM' : 'PM'}`
}

/** `2026-08-23 10:11:12` UTC, the fraction dropped: as collectors write NetFlow's switched times. */
export function plainSecond(baseSec: number, timeUs: number): string {
  return instant(baseSec, timeUs).second.replace('T', ' ')
}

/** `2026-08-23 10:11:12 UTC`, for people. */
export function plainTime(baseSec: number, timeUs: number): string {
  return `${plainSecond(baseSec, timeUs)} UTC`
}
