/**
 * The house rules that a program can check: import order, sizes, no clock between capture and sink, headers, names, and
 * a reason for every dependency.
 *
 * The function length comes from the linter (biome.json), which parses TypeScript; the compiler in use has no stable
 * interface for that.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

/** The way of the data. An import may only point to an earlier name, or into its own folder. */
const STAGES = ['base', 'capture', 'decode', 'flow', 'doctor', 'features', 'context', 'score', 'explain', 'sink']
/** They join the stages, as files directly in src/ do: no stage imports them. The command line starts live runs, never the other way round. */
const JOINS = ['live', 'commands']
/** Computation: what comes out depends on what goes in and on nothing else. */
const PURE_STAGES = ['decode', 'flow', 'doctor', 'features', 'context', 'score', 'explain']

const FILE_LINES_MAX = 999
const HEADER_LINES_MIN = 3

const root = fileURLToPath(new URL('..', import.meta.url))
const src = join(root, 'src')

interface Source {
  /** From src/, with slashes: flow/key.ts. */
  path: string
  /** Folder of src/, '' for files directly in it. */
  stage: string
  text: string
  /** Paths from src/ of files of ours. */
  imports: string[]
  packages: string[]
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : listFiles(path)
    return [path]
  })
}

function readSource(file: string): Source {
  const path = relative(src, file).split(sep).join('/')
  const text = readFileSync(file, 'utf8')
  const code = withoutComments(text)
  const statements = code.matchAll(/^(?:import|export)\b[^'";()]*\bfrom\s*['"]([^'"\n]+)['"]/gm)
  const calls = code.matchAll(/\bimport\s*\(?\s*['"]([^'"\n]+)['"]/g)
  const targets = [...statements, ...calls].map((match) => match[1])
  const imports = targets.filter((target) => target.startsWith('.')).map((target) => join(dirname(path), target).split(sep).join('/'))
  const packages = targets.filter((target) => !target.startsWith('.'))
  return { path, stage: path.includes('/') ? path.split('/')[0] : '', text, imports, packages }
}

/** Cuts `//` inside a string as well, which these rules can bear. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1')
}

const sources = listFiles(src)
  .filter((file) => /\.(ts|mjs)$/.test(file))
  .map(readSource)

/** What an array must be for the failure to list every culprit with its fault. */
const NONE: string[] = []

describe('the way of the data', () => {
  test('src/ holds stages, what joins them, and nothing else', () => {
    const folders = [...new Set(sources.map((source) => source.stage).filter((stage) => stage !== ''))]
    expect(folders.filter((folder) => ![...STAGES, ...JOINS].includes(folder))).toEqual(NONE)
  })

  test('imports point to an earlier stage', () => {
    const faults = sources.flatMap((source) => source.imports.map((target) => orderFault(source, target)).filter((fault) => fault !== ''))
    expect(faults).toEqual(NONE)
  })

  function orderFault(source: Source, target: string): string {
    const to = target.includes('/') ? target.split('/')[0] : ''
    if (source.stage === '' || source.stage === to) return ''
    if (JOINS.includes(source.stage)) return source.stage === 'live' && to === 'commands' ? `${source.path} imports ${target}` : ''
    if (JOINS.includes(to)) return `${source.path} imports ${target}: no stage imports what joins stages`
    if (to === '' || to === '..') return `${source.path} imports ${target}: no stage imports files directly in src/`
    const isEarlier = STAGES.indexOf(to) < STAGES.indexOf(source.stage)
    return isEarlier ? '' : `${source.path} imports ${target}: ${to} comes after ${source.stage}`
  }

  test('imports of our files name a file that exists, with its extension', () => {
    const known = new Set(sources.map((source) => source.path))
    const faults = sources.flatMap((source) =>
      source.imports.filter((target) => !known.has(target)).map((target) => `${source.path} imports ${target}`),
    )
    expect(faults).toEqual(NONE)
  })

  test('no two files import each other, by however many steps', () => {
    const byPath = new Map(sources.map((source) => [source.path, source]))
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      if (done.has(path) || trail.includes(path)) return
      for (const target of byPath.get(path)?.imports ?? []) visit(target, [...trail, path])
      done.add(path)
    }
    for (const path of byPath.keys()) visit(path, [])
    expect(cycles).toEqual(NONE)
  })
})

describe('between capture and sink is computation', () => {
  const pure = sources.filter((source) => PURE_STAGES.includes(source.stage))
  const FORBIDDEN: readonly [what: string, pattern: RegExp][] = [
    ['a clock', /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|\bperformance\.|\bhrtime\b/],
    ['chance', /\bMath\.random\b|\brandom(Bytes|UUID|Int|FillSync)\b|\bgetRandomValues\b/],
    ['a timer', /\b(setTimeout|setInterval|setImmediate|nextTick|queueMicrotask)\b/],
    ['the process', /\bprocess\./],
    ['the console', /\bconsole\./],
    ['the locale', /\btoLocale\w*\(|\bIntl\.|\blocaleCompare\(/],
  ]

  test.each(FORBIDDEN)('no use of %s', (_, pattern) => {
    const faults = pure.flatMap(({ path, text }) =>
      withoutComments(text)
        .split('\n')
        .filter((line) => pattern.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    )
    expect(faults).toEqual(NONE)
  })

  test('of Node only hashes', () => {
    const faults = pure.flatMap(({ path, packages }) =>
      packages.filter((name) => name.startsWith('node:') && name !== 'node:crypto').map((name) => `${path}: ${name}`),
    )
    expect(faults).toEqual(NONE)
  })
})

describe('every file', () => {
  const tests = listFiles(join(root, 'test')).filter((file) => file.endsWith('.ts'))
  const all = [...sources, ...tests.map(readSource)]

  test('is named for what it holds, in kebab-case', () => {
    const names = sources.map((source) => source.path)
    const isVague = (path: string): boolean => /(^|\/)(types|utils?|helpers?|common|misc|index)(\.|\/)/.test(path)
    expect(names.filter((path) => isVague(path) || !/^([a-z0-9-]+\/)*[a-z0-9-]+\.(ts|mjs)$/.test(path))).toEqual(NONE)
  })

  test(`has at most ${FILE_LINES_MAX} lines`, () => {
    const faults = all.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 })).filter(({ lines }) => lines > FILE_LINES_MAX)
    expect(faults).toEqual([])
  })

  test('begins with a header that says what it is', () => {
    const headerOf = (text: string): string => /^(?:#!.*\n)?\/\*\*[\s\S]*?\*\//.exec(text)?.[0] ?? ''
    // Files of one contract, described once where the contract stands, say in one line what each is.
    const linesMin = (path: string): number => (/^explain\/(kinds|parts)\//.test(path) ? 1 : HEADER_LINES_MIN)
    const faults = sources.filter(({ path, text }) => headerOf(text) === '' || headerOf(text).split('\n').length < linesMin(path))
    expect(faults.map(({ path }) => path)).toEqual(NONE)
  })

  test('has no function of 100 lines or more', () => {
    const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
    const rule = 'complexity/noExcessiveLinesPerFunction'
    const result = spawnSync(process.execPath, [biome, 'lint', `--only=${rule}`, '--reporter=json', 'src'], { cwd: root, encoding: 'utf8' })
    const report: unknown = JSON.parse(result.stdout)
    expect(report).toMatchObject({ summary: { errors: 0, warnings: 0, infos: 0 } })
  }, 30_000)
})

describe('dependencies', () => {
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const tables = manifest as Partial<Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>>
  const shipped = [...Object.keys(tables.dependencies ?? {}), ...Object.keys(tables.optionalDependencies ?? {})]
  const names = [...shipped, ...Object.keys(tables.devDependencies ?? {})]
  const readme = readFileSync(join(src, 'README.md'), 'utf8').split('## Packages')[1]
  const reasons = new Map([...readme.matchAll(/^\| +`?([@\w/.-]+)`? +\| +(.+?) +\|$/gm)].map((match) => [match[1], match[2]]))

  test.each(names)('%s has its reason in src/README.md', (name) => {
    expect(reasons.get(name)?.length ?? 0).toBeGreaterThan(10)
  })

  test('src/ imports only what is shipped with it', () => {
    const nameOf = (target: string): string =>
      target
        .split('/')
        .slice(0, target.startsWith('@') ? 2 : 1)
        .join('/')
    // bundle.mjs is what builds the rest; it is not shipped.
    const faults = sources
      .filter(({ path }) => !path.endsWith('bundle.mjs'))
      .flatMap(({ path, packages }) =>
        packages.filter((target) => !target.startsWith('node:') && !shipped.includes(nameOf(target))).map((target) => `${path}: ${target}`),
      )
    expect(faults).toEqual(NONE)
  })

  test('the lock names no download hosts', () => {
    const lock = readFileSync(join(root, 'package-lock.json'), 'utf8')
    expect(lock).not.toMatch(/"resolved"\s*:/)
    expect(existsSync(join(root, '.npmrc'))).toBe(true)
  })

  test('the reasons are for packages that are there', () => {
    const packages = [...reasons.keys()].filter((name) => name !== 'package' && !/^-+$/.test(name))
    expect(packages.filter((name) => !names.includes(name)).map((name) => basename(name))).toEqual(NONE)
  })
})
