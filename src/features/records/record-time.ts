/**
 * Times as flow records write them.
 *
 * In:  text: seconds or milliseconds since 1970, ISO 8601 with a blank or a T, CICFlowMeter's day/month/year with or without AM/PM.
 * Out: whole microseconds since 1970, and how fine the text is. A time without a zone is taken for UTC, as all our times are.
 * Not: a guess of the zone. nfdump and CICFlowMeter write the local time of the machine they ran on and do not say which.
 */

export interface RecordTime {
  us: number
  /** The finest unit that the text has: µs 1, ms 1,000, s 1,000,000, minutes 60,000,000. */
  grainUs: number
}

const US_PER_S = 1e6
const MINUTE_US = 60e6
/** Beyond it an epoch time can only be in milliseconds: in seconds this is the year 2286. */
const SECONDS_MAX = 1e10
/** And beyond this one in microseconds, and then nanoseconds. */
const MS_MAX = 1e13
const US_MAX = 1e16

const EPOCH = /^(\d{1,19})(?:\.(\d{1,9}))?$/
const ISO = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?$/
const DAY_FIRST = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?\s*([AP]M)?$/i

/** null: no time in a form that is known. */
export function recordTime(text: string): RecordTime | null {
  const epoch = EPOCH.exec(text)
  if (epoch !== null) return epochTime(epoch[1], epoch[2] ?? '')
  const iso = ISO.exec(text)
  if (iso !== null) {
    const [, year, month, day, hour, minute, second, fraction = '', zone] = iso
    return calendarTime([year, month, day, hour, minute, second].map(Number), fraction, zoneMinutes(zone))
  }
  const dayFirst = DAY_FIRST.exec(text)
  return dayFirst === null ? null : dayFirstTime(dayFirst)
}

function epochTime(whole: string, fraction: string): RecordTime {
  const value = Number(whole)
  if (value > US_MAX) return { us: Math.floor(value / 1000), grainUs: 1 }
  if (value > MS_MAX) return { us: value, grainUs: 1 }
  if (value > SECONDS_MAX) return { us: value * 1000 + Number(fraction.padEnd(3, '0').slice(0, 3)), grainUs: fraction === '' ? 1000 : 1 }
  return { us: value * US_PER_S + microseconds(fraction), grainUs: grainOf(fraction) }
}

function dayFirstTime(match: RegExpExecArray): RecordTime | null {
  const [, first, second, year, hour, minute, sec, fraction = '', half] = match
  // CICFlowMeter writes the day first; 2/22/2018 can only be meant the other way round.
  const [day, month] = Number(second) > 12 ? [second, first] : [first, second]
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (half.toUpperCase() === 'PM' ? 12 : 0)
  const time = calendarTime([year, month, day, hours, minute, sec ?? 0].map(Number), fraction, 0)
  return time === null || sec !== undefined ? time : { ...time, grainUs: MINUTE_US }
}

function calendarTime([year, month, day, hour, minute, second]: readonly number[], fraction: string, offsetMin: number): RecordTime | null {
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return null
  const ms = Date.UTC(year, month - 1, day, hour, minute - offsetMin, second)
  if (new Date(Date.UTC(year, month - 1, day)).getUTCDate() !== day) return null
  return { us: ms * 1000 + microseconds(fraction), grainUs: grainOf(fraction) }
}

function microseconds(fraction: string): number {
  return Number(fraction.padEnd(6, '0').slice(0, 6))
}

function grainOf(fraction: string): number {
  if (fraction === '') return US_PER_S
  return fraction.length <= 3 ? 1000 : 1
}

function zoneMinutes(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return zone.startsWith('-') ? -minutes : minutes
}
