/**
 * Which ports of which hosts were tried, and which answered.
 *
 * In:  a scan's grid. Out: an SVG: hosts down, ports across; a scan of one host or of one port runs on over
 *      several lines, as text does.
 * Not: all cells of a large scan: the alert says how many it left out, and the picture repeats it.
 */
import type { PictureData } from '../../score/evidence.ts'
import { countOf, countText } from '../words.ts'
import { element, label, type Picture, titled } from './svg.ts'

type Grid = Extract<PictureData, { picture: 'grid' }>
type Outcome = Grid['cells'][number]['outcome']

const CELL = 15
const LEFT = 150
const TOP = 62
const COLUMNS_MAX = 40
const ROWS_MAX = 24
const WIDTH_MIN = 470
/** In the place of a port where there are none: pings, ARP. */
const NO_PORT = 0

interface Square {
  outcome: Outcome
  title: string
}

interface Row {
  name: string
  squares: (Square | null)[]
}

export function gridPicture(grid: Grid): Picture {
  const all = rowsOf(grid)
  const rows = all.slice(0, ROWS_MAX)
  const columns = Math.max(1, ...rows.map((row) => row.squares.length))
  const width = Math.max(WIDTH_MIN, LEFT + columns * CELL + 16)
  const hidden = all.slice(ROWS_MAX).reduce((sum, row) => sum + row.squares.filter((s) => s !== null).length, 0) + grid.omitted
  return {
    width,
    height: TOP + rows.length * CELL + (hidden > 0 ? 36 : 16),
    title: grid.ports.every((port) => port === NO_PORT) ? 'Hosts tried, and which answered' : 'Ports tried, and which answered',
    description: descriptionOf(grid),
    items: [
      ...legend(grid),
      ...rows.flatMap((row, y) => drawnRow(row, TOP + y * CELL)),
      ...(hidden > 0
        ? [label(`${countText(hidden)} more attempts not drawn`, { x: LEFT, y: TOP + rows.length * CELL + 20, class: 'small' })]
        : []),
    ],
  }
}

function descriptionOf(grid: Grid): string {
  const attempts = `${countOf(outcomeCount(grid, 'failed'), 'attempt')} failed, ${countText(outcomeCount(grid, 'answered'))} answered`
  const ports = grid.ports.length === 1 && grid.ports[0] === NO_PORT ? '' : ` and ${countOf(grid.ports.length, 'port')}`
  return `${attempts}, over ${countOf(grid.targets.length, 'host')}${ports}.`
}

export function outcomeCount(grid: Grid, outcome: Outcome): number {
  return grid.cells.filter((cell) => cell.outcome === outcome).length
}

function legend(grid: Grid): string[] {
  const isOneHost = grid.targets.length === 1
  return [
    label(
      isOneHost
        ? `Ports of ${grid.targets[0]}`
        : grid.ports.length === 1
          ? `Hosts tried${grid.ports[0] === NO_PORT ? '' : ` on port ${grid.ports[0]}`}`
          : 'Hosts (down) and ports (across)',
      { x: 12, y: 20, class: 'strong' },
    ),
    element('rect', { x: 12, y: 31, width: 11, height: 11, rx: 2, class: 'failed' }),
    label('failed', { x: 30, y: 41, class: 'small' }),
    element('rect', { x: 84, y: 31, width: 11, height: 11, rx: 2, class: 'answered' }),
    label('answered', { x: 102, y: 41, class: 'small' }),
  ]
}

function drawnRow(row: Row, y: number): string[] {
  return [
    label(row.name, {
      x: LEFT - 10,
      y: y + 10,
      'text-anchor': 'end',
      class: 'small',
      ...(row.name.length > 21 ? { textLength: LEFT - 22, lengthAdjust: 'spacingAndGlyphs' } : {}),
    }),
    ...row.squares.flatMap((square, x) =>
      square === null
        ? []
        : [
            titled(square.title, [
              element('rect', { x: LEFT + x * CELL, y, width: CELL - 4, height: CELL - 4, rx: 2, class: square.outcome }),
            ]),
          ],
    ),
  ]
}

function rowsOf(grid: Grid): Row[] {
  if (grid.targets.length === 1) {
    return wrapped(
      grid,
      (cell) => grid.ports[cell.port],
      (a, b) => a - b,
      (first, last) => (first === last ? `port ${first}` : `ports ${first}–${last}`),
    )
  }
  if (grid.ports.length === 1)
    return wrapped(
      grid,
      (cell) => cell.target,
      (a, b) => a - b,
      (first) => grid.targets[first],
    )
  return grid.targets.map((target, t) => ({
    name: target,
    squares: grid.ports.slice(0, COLUMNS_MAX).map((port, p) => {
      const cell = grid.cells.find((c) => c.target === t && c.port === p)
      return cell === undefined ? null : { outcome: cell.outcome, title: squareTitle(target, port, cell.outcome) }
    }),
  }))
}

/** One long row, cut into lines. */
function wrapped(
  grid: Grid,
  keyOf: (cell: Grid['cells'][number]) => number,
  order: (a: number, b: number) => number,
  nameOf: (first: number, last: number) => string,
): Row[] {
  const cells = [...grid.cells].sort((a, b) => order(keyOf(a), keyOf(b)))
  const rows: Row[] = []
  for (let at = 0; at < cells.length; at += COLUMNS_MAX) {
    const part = cells.slice(at, at + COLUMNS_MAX)
    rows.push({
      name: nameOf(keyOf(part[0]), keyOf(part[part.length - 1])),
      squares: part.map((cell) => ({
        outcome: cell.outcome,
        title: squareTitle(grid.targets[cell.target], grid.ports[cell.port], cell.outcome),
      })),
    })
  }
  return rows
}

function squareTitle(target: string, port: number, outcome: Outcome): string {
  return `${target}${port === NO_PORT ? '' : ` port ${port}`}: ${outcome}`
}
