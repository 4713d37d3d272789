/**
 * What a folder of labelled captures says about itself: `labels.tsv`, and who counts as found.
 *
 * In:  tab-separated rows under a header: file class category expect how_sure actor victim … (the data folder's README).
 * Out: rows with parsed parties. A suffix (`.102`) or a prefix (`172.18.39.x`) matches by part, a network by containment,
 *      `many` only itself; ports and words are informative and match nothing.
 */
import { NetworkSet, parseAddress } from '../../src/base/address.ts'

export type HowSure = 'yes' | 'hard' | 'context' | ''

export interface Label {
  file: string
  class: string
  category: string
  /** Kinds that count as found; empty when nothing is demanded. */
  expect: readonly string[]
  /** No alert at one half or more may be raised. */
  mustBeQuiet: boolean
  howSure: HowSure
  actor: Party
  victim: Party
}

/** Empty: whoever it is will do. */
export type Party = readonly ((address: string) => boolean)[]

export function readLabels(text: string): Label[] {
  const [header, ...lines] = text.split('\n').filter((line) => line.trim() !== '')
  const names = header.split('\t')
  return lines.map((line) => {
    const cells = line.split('\t')
    const cell = (name: string): string => cells[names.indexOf(name)] ?? ''
    const expect = cell('expect')
      .split(',')
      .map((kind) => kind.trim())
    return {
      file: cell('file'),
      class: cell('class'),
      category: cell('category'),
      expect: expect.filter((kind) => kind.includes('.')),
      mustBeQuiet: expect.includes('none'),
      howSure: howSureOf(cell('how_sure')),
      actor: parseParty(cell('actor')),
      victim: parseParty(cell('victim')),
    }
  })
}

function howSureOf(text: string): HowSure {
  return text === 'yes' || text === 'hard' || text === 'context' ? text : ''
}

export function parseParty(text: string): Party {
  const words = text.replace(/\([^)]*\)/g, ' ').split(/[,\s]+/)
  return words
    .flatMap((word) => (isNetwork(word) ? [word] : word.split('/')))
    .flatMap((word) => {
      const matches = matcherOf(word)
      return matches === null ? [] : [matches]
    })
}

function isNetwork(word: string): boolean {
  const at = word.indexOf('/')
  return at > 0 && /^\d+$/.test(word.slice(at + 1)) && parseAddress(word.slice(0, at)) !== null
}

function matcherOf(word: string): ((address: string) => boolean) | null {
  if (word === 'many') return (address) => address === 'many'
  if (isNetwork(word)) {
    const network = new NetworkSet([word])
    return (address) => parseAddress(address) !== null && network.has(address)
  }
  if (/^(\.\d+)+$/.test(word)) return (address) => address.endsWith(word)
  const prefix = /^((?:\d+\.)+)x$/.exec(word)
  if (prefix !== null) return (address) => address.startsWith(prefix[1])
  const plain = /^[\d.]+:\d+$/.test(word) ? word.slice(0, word.indexOf(':')) : word
  return parseAddress(plain) === null ? null : (address) => address === plain
}

export function isOf(party: Party, addresses: readonly string[]): boolean {
  return party.length === 0 || party.some((matches) => addresses.some(matches))
}

/** @param only parts of paths, separated by commas; '' takes all. */
export function isWantedPath(path: string, only: string): boolean {
  return only.split(',').some((part) => path.includes(part))
}
