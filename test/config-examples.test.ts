/**
 * The examples in config/ for other programs: each is checked by the program that it is for, and names only what the sensor has.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../src/config.ts'
import { METRICS } from '../src/live/metrics.ts'
import { PARAMETERS } from '../src/sink/syslog-message.ts'
import { temporaryFolder } from './sink/endings.ts'
import { RSYSLOGD } from './sink/rsyslog.ts'

const folder = fileURLToPath(new URL('../config/', import.meta.url))
const textOf = (name: string): string => readFileSync(`${folder}${name}`, 'utf8')
const hasPromtool = spawnSync('promtool', ['--version']).status === 0
const names: readonly string[] = METRICS.map(({ name }) => name)

describe.each(['prometheus-alerts.yaml', 'grafana-dashboard.json'])('%s', (file) => {
  test('names only metrics that there are', () => {
    const used = new Set([...textOf(file).matchAll(/\bflowscribe_[a-z_]+\b/g)].map(([name]) => name))
    expect([...used].filter((name) => !names.includes(name))).toEqual([])
    expect(used.size).toBeGreaterThan(8)
  })
})

test.skipIf(!hasPromtool)('promtool check rules (Debian: prometheus)', () => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', `${folder}prometheus-alerts.yaml`], { encoding: 'utf8' })
  expect({ status, stdout, stderr }).toMatchObject({ status: 0, stdout: expect.stringContaining('SUCCESS') })
})

test('each rule says what happened, what to do, and how grave it is; keys of ours that they name are there', () => {
  const { groups } = parse(textOf('prometheus-alerts.yaml')) as {
    groups: { rules: { alert: string; labels: { severity: string }; annotations: { summary: string; action: string } }[] }[]
  }
  const rules = groups.flatMap((group) => group.rules)
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
  const config: Readonly<Record<string, object>> = loadConfig({})
  for (const { labels, annotations } of rules) {
    expect(['info', 'warning', 'critical']).toContain(labels.severity)
    expect(annotations.summary).toMatch(/\.$/)
    for (const [, section, key] of annotations.action.matchAll(/\b(capture|flow|context|alerts|output)\.([a-z][A-Za-z_]+)\b(?!\.)/g)) {
      if (key !== 'jsonl') expect(Object.keys(config[section]), `${section}.${key}`).toContain(key)
    }
  }
})

test.skipIf(RSYSLOGD === '')('rsyslogd -N1 takes rsyslog.conf without a word against it (Debian: rsyslog)', () => {
  const { status, stderr } = spawnSync(RSYSLOGD, ['-N1', '-f', `${folder}rsyslog.conf`], { encoding: 'utf8' })
  expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining('End of config validation run') })
  expect(stderr.trim().split('\n').length).toBe(2)
})

test('rsyslog.conf names every parameter of the structured data', () => {
  const text = textOf('rsyslog.conf')
  for (const { name } of PARAMETERS) expect(text).toMatch(new RegExp(`!${name}\\b`))
})

test('the Grafana dashboard is one that can be imported', () => {
  const board = JSON.parse(textOf('grafana-dashboard.json')) as {
    title: string
    panels: {
      id: number
      title: string
      type: string
      gridPos: { x: number; y: number; w: number; h: number }
      targets?: { expr: string }[]
    }[]
  }
  expect(board.title).toBe('flowscribe')
  expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length)
  for (const { title, targets, gridPos } of board.panels) {
    expect(gridPos, title).toMatchObject({ w: expect.any(Number), h: expect.any(Number), x: expect.any(Number), y: expect.any(Number) })
    expect(targets?.length, title).toBeGreaterThan(0)
  }
  const queries = board.panels.flatMap(({ targets }) => targets ?? []).map(({ expr }) => expr)
  expect(queries.filter((expr) => expr.includes('flowscribe_alerts_suppressed_total'))).toEqual([expect.stringContaining('by (rule)')])
  // No panel lies on another.
  const places = board.panels.map(({ gridPos }) => gridPos)
  const overlaps = places.filter((a, i) =>
    places.some((b, k) => k > i && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h),
  )
  expect(overlaps).toEqual([])
})

test.skipIf(!hasPromtool)("every query of the dashboard is one of Prometheus' (Debian: prometheus)", () => {
  const board = JSON.parse(textOf('grafana-dashboard.json')) as { panels: { targets: { expr: string }[] }[] }
  const rules = board.panels
    .flatMap(({ targets }) => targets)
    .map(({ expr }, i) => ({ record: `q:${i}`, expr: expr.replaceAll('$__rate_interval', '5m') }))
  const path = join(temporaryFolder(), 'queries.json')
  writeFileSync(path, JSON.stringify({ groups: [{ name: 'queries', rules }] }))
  const { status, stderr } = spawnSync('promtool', ['check', 'rules', path], { encoding: 'utf8' })
  expect({ status, stderr }).toMatchObject({ status: 0 })
})
