/**
 * The one way each unit is written.
 *
 * In:  a value and its unit. Out: a `Num`: value, unit, text. Every number of a report is the text of one of these.
 * Not: locale. Texts are the same on every machine.
 */

import type { Num, Unit } from './evidence.ts'

const US_PER_S = 1e6

const RENDER: Readonly<Record<Unit, (v: number) => string>> = {
  B: (v) => scaled(v, 'B'),
  us: duration,
  // No time at all is no small time.
  s: (v) => (v === 0 ? '0 s' : duration(v * US_PER_S)),
  count: grouped,
  ratio: (v) => v.toFixed(2),
  pps: (v) => `${grouped(roundTo(v, 1))} packets/s`,
  Bps: (v) => `${scaled(v, 'B')}/s`,
  '1/N': (v) => `1 in ${grouped(Math.round(v))}`,
  log10: (v) => v.toFixed(2),
  percent: (v) => `${roundTo(v, v < 10 && v > 0 ? 1 : 0)} %`,
  port: (v) => String(v),
}

export function num(v: number, unit: Unit): Num {
  return { v, unit, text: RENDER[unit](v) }
}

/** A likelihood in words: whole per cent, never 0 or 100. */
export function percentText(p: number): string {
  return `${Math.min(99, Math.max(1, Math.round(p * 100)))} %`
}

/** One under one per cent, which keeps its digit. */
export function smallPercentText(p: number): string {
  return num(p * 100, 'percent').text
}

/** A factor of the likelihood arithmetic: ×32, ×2.5, ÷15.8. */
export function factorText(log10: number): string {
  const factor = 10 ** Math.abs(log10)
  const digits = factor < 10 ? 1 : 0
  return `${log10 < 0 ? '÷' : '×'}${roundTo(factor, digits)}`
}

function grouped(v: number): string {
  // Most are small, and are written again and again.
  if (v >= 0 && v < 1000) return String(v)
  const [whole, fraction] = String(v).split('.')
  const withCommas = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? withCommas : `${withCommas}.${fraction}`
}

/** Decimal prefixes, as links and disks are sold: 5.3 MB is 5,300,000 octets. */
function scaled(v: number, unit: string): string {
  if (v < 1000) return `${roundTo(v, 0)} ${unit}`
  const steps = ['k', 'M', 'G', 'T']
  let value = v
  let step = -1
  while (value >= 999.5 && step < steps.length - 1) {
    value /= 1000
    step++
  }
  return `${roundTo(value, value < 100 ? 1 : 0)} ${steps[step]}${unit}`
}

function duration(us: number): string {
  if (us < 1000) return `${Math.round(us)} µs`
  if (us < US_PER_S) return `${roundTo(us / 1000, us < 10_000 ? 1 : 0)} ms`
  const seconds = us / US_PER_S
  if (roundTo(seconds, 1) < 60) return `${roundTo(seconds, 1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return joined(Math.floor(whole / 60), 'min', whole % 60, 's')
  const minutes = Math.round(seconds / 60)
  if (minutes < 1440) return joined(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  const hours = Math.round(seconds / 3600)
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

function roundTo(v: number, digits: number): number {
  return Number(v.toFixed(digits))
}
