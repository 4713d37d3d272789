/**
 * Which numbers, addresses, ports, times and technique ids a text may hold, given an alert line.
 *
 * In:  the JSON of an alert line, and a report. Out: the words of the report that no value of the line accounts for.
 * Not: one line of the renderer: nothing from words.ts, report.ts or parts/ is used here. Formulas that stand in both
 *      places stand in both on purpose.
 *
 * The invariant: a word with a digit in it passes only as (1) a word of a text of the line, (2) a rounding of a number
 * of the line in the unit that follows it, (3) one of the few derived values below, or (4) a fixed phrase of ours.
 */

/** Fixed phrases of reports that hold digits and are no measurements. */
const PHRASES = [
  'count 15, seconds 300',
  'count 10, seconds 300',
  'count 1000, seconds 10',
  'count 1, seconds 3600',
  'count 50, seconds 600',
  'count 10, seconds 3600',
  'count 100, seconds 3600',
  'count 300, seconds 10',
  'by_src, count 8',
  'dsize:>1000; threshold:type both, track by_src, count 40000, seconds 3600',
  'dsize:>90',
  'itype:8; dsize:>100',
  'itype:128; dsize:>100',
  'itype:8;',
  'itype:128;',
  'dsize:>200',
  'icmp6',
  'ipv6.addr',
  'L4_SRC_PORT',
  'L4_DST_PORT',
  'icmpv6',
  'arp.opcode == 1',
  'arp.src.proto_ipv4',
]

/** Which scales a unit after a number allows, by what the number of the line is measured in. */
const SCALES: Readonly<Record<string, readonly number[]>> = {
  '%': [100, 1],
  µs: [1],
  ms: [1e-3],
  s: [1e-6, 1],
  B: [1],
  kB: [1e-3],
  MB: [1e-6],
  GB: [1e-9],
  TB: [1e-12],
}

/** Times of a minute and more, in two units. */
const LONG_TIME = /(?<![\w.,])(?:\d+ d(?: \d+ h)?|\d+ h(?: \d+ min)?|\d+ min(?: \d+ s)?)(?!\w)/g
/** Names of pictures: they stand in links. */
const PICTURES = ['timeline', 'grid', 'sessions', 'contributions', 'gaps', 'rate', 'uploads', 'concurrent', 'claims']
/** Keys of values that are written in per cent. */
const LIKELIHOOD_KEYS: ReadonlySet<string> = new Set(['likelihood', 'likelihoodAtHalf', 'threshold', 'limit'])
const LONG_UNITS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, d: 86_400 }

export class AlertValues {
  readonly #words = new Set<string>()
  readonly #numbers: number[] = []
  readonly #weights: number[] = []
  /** '4 min 32 s' and kin, as texts of the line have them. */
  readonly #longTimes = new Set<string>()
  /** Of the vector of features, by name: a row of its table holds that one and no other. */
  #features: ReadonlyMap<string, unknown> = new Map()
  /** Answers given before: a report repeats itself. */
  readonly #known = new Map<string, boolean>()

  constructor(line: unknown) {
    this.#walk(line, '')
    this.#derive(line)
    const features = at(line, 'alert', 'context', 'flowscribe', 'features')
    if (typeof features === 'object' && features !== null) this.#features = new Map(Object.entries(features))
  }

  /** Whether a row of the features' table names a feature and another value than it has. */
  contradicts(name: string, text: string): boolean {
    const value = this.#features.get(name)
    if (value === undefined) return false
    return typeof value === 'number' ? !isSame(text, value) : text !== 'not measured'
  }

  #walk(value: unknown, key: string): void {
    if (typeof value === 'number') this.#addNumber(value, key)
    else if (typeof value === 'string') this.#addText(value)
    else if (Array.isArray(value)) {
      this.#numbers.push(value.length)
      for (const item of value) this.#walk(item, key)
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, item] of Object.entries(value)) {
        this.#addText(name)
        // Cells point into the grid's lists of hosts and ports: places, not measurements.
        if (name !== 'cells') this.#walk(item, name)
      }
    }
  }

  #addNumber(value: number, key: string): void {
    this.#numbers.push(value)
    if (LIKELIHOOD_KEYS.has(key)) this.#addLikelihood(value)
    if (key === 'lr') this.#weights.push(10 ** Math.abs(Math.min(2, Math.max(-1.5, value))))
  }

  /** Likelihoods are whole per cent, never none and never all; small ones may keep a digit. */
  #addLikelihood(p: number): void {
    this.#words.add(String(Math.min(99, Math.max(1, Math.round(p * 100)))))
    if (p < 0.0095) this.#numbers.push(p)
  }

  #addText(text: string): void {
    for (const match of text.matchAll(LONG_TIME)) this.#longTimes.add(match[0])
    const rest = text.replace(LONG_TIME, ' ')
    for (const word of [...wordsOf(rest), ...wordsOf(unescaped(rest))]) this.#words.add(word)
    this.#addTime(text, 0)
  }

  /** An eve time as people read it, with and without its fraction. */
  #addTime(text: string, afterUs: number): void {
    const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\.(\d{6})\+0000$/.exec(text)
    if (match === null) return
    const totalUs = BigInt(Date.parse(`${match[1]}T${match[2]}Z`)) * 1000n + BigInt(match[3]) + BigInt(Math.floor(afterUs))
    const iso = new Date(Number(totalUs / 1000n)).toISOString()
    const second = iso.slice(11, 19)
    const fraction = String(totalUs % 1_000_000n).padStart(6, '0')
    this.#words.add(iso.slice(0, 10))
    this.#words.add(second)
    this.#words.add(`${second}.${fraction}`)
    if (fraction.endsWith('000')) this.#words.add(`${second}.${fraction.slice(0, 3)}`)
  }

  /** What the report works out from more than one value: each with its own few lines here. */
  #derive(line: unknown): void {
    const alert = at(line, 'alert', 'context', 'flowscribe')
    const episode = at(alert, 'episode')
    // Contributions, one after the other, from the prior on.
    let odds = 0
    for (const step of listAt(alert, 'arithmetic')) {
      odds += numberAt(step, 'log10')
      this.#addLikelihood(1 / (1 + 10 ** -odds))
    }
    const stem = String(at(alert, 'id'))
      .replace(/[^A-Za-z0-9._-]/g, '_')
      .slice(0, 120)
    for (const picture of PICTURES) for (const start of ['', '_']) this.#addText(`${start}${stem}.${picture}.svg`)
    for (const ending of ['pcap', 'pcap.json']) for (const start of ['', '_']) this.#addText(`${start}${stem}.${ending}`)
    this.#numbers.push(
      listAt(alert, 'flows').reduce(
        (sum: number, flow) =>
          listAt(flow, 'packets')
            .map(Number)
            .reduce((a, b) => a + b, sum),
        0,
      ),
    )
    this.#numbers.push(numberAt(episode, 'lastUs') - numberAt(episode, 'firstUs'), numberAt(at(alert, 'victims'), 'count') - 1)
    for (const flow of listAt(alert, 'flows')) {
      const [packets, answers] = listAt(flow, 'packets').map(Number)
      const [sent, returned] = listAt(flow, 'ipBytes').map(Number)
      // Of a record that is a server's half the source is the responder.
      this.#numbers.push(sent / packets, packets + answers, ...(at(flow, 'record', 'side') === 1 ? [returned / answers] : []))
      const start = at(flow, 'start')
      if (typeof start === 'string') this.#addTime(start, numberAt(flow, 'durationUs'))
    }
    for (const picture of listAt(alert, 'pictures')) {
      const outcomes = listAt(picture, 'cells').map((cell) => at(cell, 'outcome'))
      this.#numbers.push(outcomes.filter((o) => o === 'failed').length, outcomes.filter((o) => o === 'answered').length)
      // A rule waits twelve periods for the next calls.
      this.#numbers.push(Math.ceil((12 * numberAt(picture, 'medianUs')) / 1e6))
      const seconds = listAt(picture, 'perSecond').map(Number)
      this.#numbers.push(seconds.reduce((sum, value) => sum + value, 0))
      this.#numbers.push(seconds.filter((value) => value >= numberAt(picture, 'threshold')).length)
      const moments = listAt(picture, 'points').map((point) => numberAt(point, 'atUs'))
      if (moments.length > 0) this.#numbers.push(moments[moments.length - 1] - moments[0])
      const marks = listAt(picture, 'marks')
      this.#numbers.push(...marks.map((mark) => numberAt(mark, 'atUs') - Math.min(...marks.map((one) => numberAt(one, 'atUs')))))
      for (const how of ['question', 'answer', 'announcement', 'unasked']) {
        for (const i of listAt(picture, 'macs').keys()) {
          this.#numbers.push(marks.filter((mark) => at(mark, 'how') === how && at(mark, 'mac') === i).length)
        }
      }
      const starts = listAt(picture, 'sessions').map((session) => numberAt(session, 'atUs'))
      this.#numbers.push(...starts.map((start) => start - Math.min(...starts)))
    }
    for (const flow of listAt(alert, 'flows')) {
      // A timeline shows its first packets, sixteen at most.
      this.#numbers.push(Math.min(16, listAt(flow, 'timeline').length))
    }
  }

  /** '4 min 32 s': some time of the line in seconds up to an hour, in minutes up to a day, in hours beyond. */
  accountsForLongTime(text: string): boolean {
    if (this.#longTimes.has(text)) return true
    const parts = text.split(' ')
    const seconds = Number(parts[0]) * LONG_UNITS[parts[1]] + (parts.length < 3 ? 0 : Number(parts[2]) * LONG_UNITS[parts[3]])
    const grain = parts[1] === 'min' ? 1 : parts[1] === 'h' ? 60 : 3600
    return this.#numbers.some((us) => Math.round(us / 1e6 / grain) * grain === seconds)
  }

  /** @param unit the word after the number. */
  accountsFor(word: string, unit: string): boolean {
    const question = `${word} ${unit}`
    const known = this.#known.get(question)
    if (known !== undefined) return known
    const answer = this.#isAccountedFor(word, unit)
    this.#known.set(question, answer)
    return answer
  }

  #isAccountedFor(word: string, unit: string): boolean {
    if (this.#words.has(word)) return true
    const match = /^([×÷]?)(-?\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?)$/.exec(word)
    if (match === null) return false
    if (match[2].includes(',') && !/^\d{1,3}(,\d{3})+$/.test(match[2])) return false
    const digits = match[2].replace(/,/g, '')
    if (match[1] !== '') return this.#weights.some((weight) => isRoundingOf(digits, weight))
    const scales = Object.hasOwn(SCALES, unit) ? SCALES[unit] : null
    if (scales === null) return this.#numbers.some((value) => isSame(digits, value))
    return this.#numbers.some((value) =>
      scales.some((scale) => {
        // Only a share of one is written in per cent.
        if (scale === 100 && Math.abs(value) > 1) return false
        return scale === 1 ? isSame(digits, value) : isRoundingOf(digits, scaled(value, scale))
      }),
    )
  }
}

/** By division, as numbers are rendered: no binary number is a thousandth, and a product with one can fall on the other side of a half. */
function scaled(value: number, scale: number): number {
  return scale < 1 ? value / Math.round(1 / scale) : value * scale
}

/** A number without a scale is printed whole, or to six significant digits. */
function isSame(digits: string, value: number): boolean {
  const written = Number(digits)
  if (written === value) return true
  // Compared roughly first: rendering every number of the line for every word would take seconds.
  return Math.abs(written - value) <= Math.abs(value) * 1e-5 && written === Number(value.toPrecision(6))
}

/** Rounded to as many decimals as are written. */
function isRoundingOf(digits: string, value: number): boolean {
  const decimals = digits.includes('.') ? digits.length - digits.indexOf('.') - 1 : 0
  if (Math.abs(Number(digits) - value) > 0.51 * 10 ** -decimals) return false
  return value.toFixed(decimals) === Number(digits).toFixed(decimals)
}

function at(value: unknown, ...keys: string[]): unknown {
  let here = value
  for (const key of keys) here = typeof here === 'object' && here !== null ? (here as Record<string, unknown>)[key] : undefined
  return here
}

function numberAt(value: unknown, key: string): number {
  return Number(at(value, key))
}

function listAt(value: unknown, key: string): unknown[] {
  const list = at(value, key)
  return Array.isArray(list) ? list : []
}

function unescaped(text: string): string {
  return text.replace(/\\([\\`*_[\]<>|&#~$@:.])/g, '$1')
}

/** Words that hold a digit, without the marks around them. */
function wordsOf(text: string): string[] {
  return text.split(WORD_BREAK).filter((word) => /\d/.test(word))
}

/** White space, marks of Markdown and of filters, and stops that end a clause. */
const WORD_BREAK = /[\s|`*()[\]{}<>;'"=!&→–]+|[.,:]+(?=[\s|`*)\]]|$)/

export interface StrayWord {
  /** From 1. */
  lineNumber: number
  word: string
}

/** Lines that are remembered; a report has some hundreds. */
const LINES_KNOWN_MAX = 4096

/** Looks through texts line by line, and through no line twice: of a report that was changed in one place, only that place is new. */
export class StraySearch {
  readonly #values: AlertValues
  readonly #known = new Map<string, readonly string[]>()

  constructor(values: AlertValues) {
    this.#values = values
  }

  /** The words of a report that nothing in the alert accounts for. */
  in(report: string): StrayWord[] {
    const found: StrayWord[] = []
    for (const [i, text] of report.split('\n').entries()) for (const word of this.#inLine(text)) found.push({ lineNumber: i + 1, word })
    return found
  }

  #inLine(text: string): readonly string[] {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const found = strayWordsOf(text, this.#values)
    if (this.#known.size >= LINES_KNOWN_MAX) this.#known.clear()
    this.#known.set(text, found)
    return found
  }
}

/** As `StraySearch`, for one text. */
export function strayWords(report: string, values: AlertValues): StrayWord[] {
  return new StraySearch(values).in(report)
}

/** A row of the table of all features. */
const FEATURE_ROW = /^\| `([a-z][a-z0-9_]*)` \| ([^|`]+) \|$/

function strayWordsOf(line: string, values: AlertValues): string[] {
  const row = FEATURE_ROW.exec(line)
  if (row !== null && values.contradicts(row[1], row[2])) return [row[2]]
  let plain = unescaped(line)
  for (const phrase of PHRASES) plain = plain.replaceAll(phrase, ' ')
  plain = plain.replace(LONG_TIME, (time) => (values.accountsForLongTime(time) ? ' ' : time))
  const words = plain.split(WORD_BREAK)
  return words.filter((word, i) => /\d/.test(word) && !isKnown(word, words[i + 1] ?? '', values))
}

function isKnown(word: string, unit: string, values: AlertValues): boolean {
  if (values.accountsFor(word, unit)) return true
  // sid:4242001 and [a,b] in a rule; never an IPv6 address or a time, whose parts mean nothing alone.
  const parts = word.split(/^\[?[a-z]+:|,/).filter((part) => part !== '')
  return (
    parts.length > 0 &&
    parts.join('') !== word &&
    !/^\d+(,\d+)*$/.test(word) &&
    parts.every((part) => !/\d/.test(part) || values.accountsFor(part, unit))
  )
}
