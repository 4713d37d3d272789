/**
 * What a person sees while a capture is read: a bar on a terminal, plain lines in a pipe; all on standard error.
 *
 * In:  how far the reading is, alert lines and notes as they come.
 * Out: on a terminal one line that is drawn over again, with lines printed above it; elsewhere whole lines without
 *      control characters, a state line every few seconds.
 * Not: anything that a run's results depend on. The clock is read here for rate and time left, and nowhere before sinks.
 *
 * Sixty lines of our own instead of a package: `cli-progress` cannot print lines above a single bar, and knows no pipes.
 */
import { plainTime } from './base/packet-time.ts'
import { printable } from './base/printable.ts'

export interface Progress {
  /**
   * How far the reading is; cheap enough for every slab.
   * @param totalBytes null when unknown, as on standard input.
   * @param packetTimeSec time of the last packet in seconds since 1970 (UTC); null before the first.
   */
  step(doneBytes: number, totalBytes: number | null, packets: number, packetTimeSec: number | null): void
  /** One line about an alert. */
  alert(line: string, severity?: Severity): void
  /** One line about anything else. */
  note(line: string): void
  /** Takes the bar away; nothing may follow. */
  close(): void
}

export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical'

/** Where lines go, as far as printing needs to know it. */
export interface Terminal {
  write(text: string): unknown
  isTTY?: boolean
  columns?: number
}

export interface Environment {
  NO_COLOR?: string | undefined
  TERM?: string | undefined
}

const REDRAW_MS = 100
const STATE_LINE_MS = 5000
const BAR_WIDTH_MIN = 8
const BAR_WIDTH_MAX = 30
const CLEAR_LINE = '\r\x1b[K'

export type Paint = (severity: Severity | 'bold' | 'dim', text: string) => string

const COLOURS = { info: '36', low: '36', medium: '33', high: '31', critical: '1;31', bold: '1', dim: '2' } as const

/** Colours on a terminal that wants them (no-color.org), plain text elsewhere. */
export function paintFor(terminal: Terminal, env: Environment): Paint {
  const isColoured = canRedraw(terminal, env) && !env.NO_COLOR
  return (style, text) => (isColoured ? `\x1b[${COLOURS[style]}m${text}\x1b[0m` : text)
}

function canRedraw(terminal: Terminal, env: Environment): boolean {
  return terminal.isTTY === true && env.TERM !== 'dumb'
}

export function openProgress(
  terminal: Terminal,
  env: Environment,
  nowMs: () => number = () => performance.now(),
  things = 'packets',
): Progress {
  const paint = paintFor(terminal, env)
  const isBar = canRedraw(terminal, env)
  const startMs = nowMs()
  let nextMs = startMs + (isBar ? 0 : STATE_LINE_MS)
  let bar = ''
  const above = (line: string): void => {
    terminal.write(`${bar === '' ? '' : CLEAR_LINE}${line}\n${bar}`)
  }
  return {
    step(doneBytes, totalBytes, packets, packetTimeSec) {
      const now = nowMs()
      if (now < nextMs) return
      nextMs = now + (isBar ? REDRAW_MS : STATE_LINE_MS)
      const share = totalBytes === null || totalBytes === 0 ? null : Math.min(1, doneBytes / totalBytes)
      const state = stateText(share, packets, packetTimeSec, (now - startMs) / 1000, things)
      if (!isBar) return above(state)
      // The last column stays free: some terminals begin a new line when it is written.
      const columns = (terminal.columns || 80) - 1
      bar = `${share === null ? '' : `${barText(share, columns - state.length - 1)} `}${state}`.slice(0, columns)
      terminal.write(`${CLEAR_LINE}${bar}`)
    },
    alert: (line, severity) => above(severity === undefined ? printable(line) : paint(severity, printable(line))),
    note: (line) => above(printable(line)),
    close() {
      if (bar !== '') terminal.write(CLEAR_LINE)
      bar = ''
    },
  }
}

/** Says nothing, for --quiet. */
export const SILENT: Progress = { step() {}, alert() {}, note() {}, close() {} }

function barText(share: number, room: number): string {
  const width = Math.min(BAR_WIDTH_MAX, Math.max(BAR_WIDTH_MIN, room))
  const filled = Math.round(share * width)
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`
}

function stateText(share: number | null, packets: number, packetTimeSec: number | null, elapsedSec: number, things: string): string {
  const parts = [`${countText(packets)} ${things}`]
  if (share !== null) parts.unshift(`${Math.floor(share * 100)} %`)
  if (elapsedSec > 0) parts.push(`${countText(packets / elapsedSec)}/s`)
  if (share !== null && share > 0 && share < 1) parts.push(`${durationText((elapsedSec / share) * (1 - share))} left`)
  if (packetTimeSec !== null) parts.push(plainTime(packetTimeSec, 0))
  return parts.join(', ')
}

/** 950, 12.3 k, 4.56 M: three digits are what a glance takes in. */
export function countText(count: number): string {
  if (count < 1000) return String(Math.round(count))
  const [value, unit] = count < 999_500 ? [count / 1e3, 'k'] : count < 999_500_000 ? [count / 1e6, 'M'] : [count / 1e9, 'G']
  return `${value.toPrecision(3)} ${unit}`
}

/** 0:07, 12:34, 1:02:03. */
export function durationText(seconds: number): string {
  const whole = Math.ceil(seconds)
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  const tail = String(whole % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`
}
