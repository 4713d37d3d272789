import { describe, expect, test } from 'vitest'
import type { AlertEvent } from '../../src/score/evidence.ts'
import { tooWide } from '../../src/score/mute-width.ts'
import { type MuteRule, type MuteSubject, Mutes } from '../../src/score/mutes.ts'
import { analyst, BASE_SEC, inRowOrder, range, refused } from './flows.ts'

function rule(over: Partial<MuteRule> = {}): MuteRule {
  return {
    id: 'm-1',
    kinds: ['scan.vertical'],
    actors: ['10.0.0.9'],
    victims: null,
    ports: null,
    owner: 'alice',
    reason: 'scanner',
    created: '',
    until: '2027-01-01',
    untilSec: Number.POSITIVE_INFINITY,
    isWide: false,
    ...over,
  }
}

function subject(over: Partial<MuteSubject> = {}): MuteSubject {
  return { kind: 'scan.vertical', actor: '10.0.0.9', victims: ['10.0.0.20'], servicePort: null, atSec: 1000, ...over }
}

const isMuted = (of: Partial<MuteRule>, what: Partial<MuteSubject> = {}): boolean => new Mutes([rule(of)]).ruleFor(subject(what)) !== null

describe('what a rule mutes', () => {
  test.each<[string, Partial<MuteRule>, Partial<MuteSubject>, boolean]>([
    ['kind and actor', {}, {}, true],
    ['another kind', {}, { kind: 'scan.horizontal' }, false],
    ['one of its kinds', { kinds: ['brute.login', 'scan.vertical'] }, {}, true],
    ['another actor', {}, { actor: '10.0.0.90' }, false],
    ['an actor in its network', { actors: ['10.0.0.8/31'] }, {}, true],
    ['an actor beside its network', { actors: ['10.0.0.10/31'] }, {}, false],
    ['an IPv6 actor, however it is written', { actors: ['2001:DB8:0::9'] }, { actor: '2001:db8::9' }, true],
    ['an IPv6 actor in its network', { actors: ['2001:db8::/32'] }, { actor: '2001:db8:ffff::1' }, true],
    ['an IPv4 actor, where only IPv6 is meant', { actors: ['fd00::/8'] }, {}, false],
    ['a station by its hardware address', { actors: ['02:00:5E:00:00:01'] }, { actor: '02:00:5e:00:00:01' }, true],
    ['many actors, of which the rule names one', {}, { actor: 'many' }, false],
    ['many actors, and any', { actors: null, victims: ['10.0.0.20'] }, { actor: 'many' }, true],
    ['all victims inside', { victims: ['10.0.0.0/24', 'fd00::20'] }, { victims: ['10.0.0.20', 'fd00::20'] }, true],
    ['one victim outside', { victims: ['10.0.0.0/24'] }, { victims: ['10.0.0.20', '10.0.1.20'] }, false],
    ['no victim known, where some are named', { victims: ['10.0.0.0/24'] }, { victims: [] }, false],
    ['its port', { ports: [22, 443] }, { servicePort: 443 }, true],
    ['another port', { ports: [22, 443] }, { servicePort: 80 }, false],
    ['many ports, where some are named', { ports: [22] }, { servicePort: null }, false],
    ['its last second', { untilSec: 1001 }, {}, true],
    ['the second in which it ends', { untilSec: 1000 }, {}, false],
  ])('%s', (_, of, what, expected) => {
    expect(isMuted(of, what)).toBe(expected)
  })

  test('the first rule of the file counts; one that has ended does not hide the next', () => {
    const mutes = new Mutes([rule({ id: 'ended', untilSec: 5 }), rule({ id: 'first' }), rule({ id: 'second' })])
    expect(mutes.ruleFor(subject())?.id).toBe('first')
    expect(mutes.expiredAt(1000).map(({ id }) => id)).toEqual(['ended'])
  })
})

describe('how wide a rule may be', () => {
  const OWN = ['10.0.0.0/8', '192.168.0.0/16', 'fe80::/10', 'fd00::/8']
  const width = (actors: readonly string[] | null, victims: readonly string[] | null, own = OWN): string | null =>
    tooWide({ kinds: ['c2.beacon'], actors, victims, ports: null }, own)

  test.each<[readonly string[] | null, readonly string[] | null, string]>([
    [null, null, 'any actor and any victim'],
    [['0.0.0.0/0'], ['10.0.0.1'], 'its actor is every IPv4 address'],
    [['10.0.0.1'], ['::/0'], 'its victim is every IPv'],
    // Two halves are the whole, and an IPv6 network around the mapped addresses holds all of IPv4.
    [['128.0.0.0/1', '0.0.0.0/1'], ['10.0.0.1'], 'its actor is every IPv4 address'],
    [['::/1'], ['10.0.0.1'], 'its actor is every IPv4 address'],
    [['10.0.0.0/8', '192.168.0.0/16'], null, 'all own networks as actor and any victim'],
    [['192.168.0.0/17', '10.0.0.0/7', '192.168.128.0/17'], null, 'all own networks as actor and any victim'],
    [['fd00::/8'], null, 'all own networks as actor and any victim'],
    [null, OWN, 'any actor and all own networks as victim'],
    [OWN, OWN, 'all own networks as actor and all own networks as victim'],
  ])('refused: %j → %j', (actors, victims, why) => {
    expect(width(actors, victims)).toContain(why)
  })

  test.each<[readonly string[] | null, readonly string[] | null]>([
    [['10.0.0.9'], null],
    [null, ['203.0.113.5']],
    [['10.0.0.0/8'], null],
    [OWN, ['203.0.113.5']],
    [['203.0.113.5'], OWN],
    [['fe80::/10'], null],
    [['02:00:5e:00:00:01'], null],
  ])('taken: %j → %j', (actors, victims) => {
    expect(width(actors, victims)).toBeNull()
  })

  test('without own networks nothing is all of them', () => {
    expect(width(['10.0.0.0/8'], null, [])).toBeNull()
  })
})

describe('muted episodes', () => {
  function told(rules: readonly MuteRule[], flows = SCAN): AlertEvent[] {
    const events: AlertEvent[] = []
    const mutes = new Mutes(rules)
    const it = analyst((event) => events.push(event), undefined, { muteOf: (subject) => mutes.suppressionOf(subject) })
    for (const flow of inRowOrder(flows)) it.onFlow(flow)
    it.finish(Number.MAX_SAFE_INTEGER)
    return events
  }

  const SCAN = range(60).map((i) => refused({ client: '10.0.0.9', server: '10.0.0.20', port: 1000 + i, at: i * 10 }))

  const withoutMute = ({ suppressed: _, shouldNotify: __, ...event }: AlertEvent): object => event

  test('are judged as ever, say by which rule they are muted, and notify nobody', () => {
    const plain = told([])
    const muted = told([rule()])
    expect(plain.some(({ shouldNotify }) => shouldNotify)).toBe(true)
    expect(muted.map(withoutMute)).toEqual(plain.map(withoutMute))
    expect(muted.every(({ shouldNotify }) => !shouldNotify)).toBe(true)
    expect(new Set(muted.map(({ suppressed }) => JSON.stringify(suppressed)))).toEqual(
      new Set([JSON.stringify({ rule: 'm-1', owner: 'alice', until: '2027-01-01', reason: 'scanner' })]),
    )
  })

  test('a rule ends by packet time: the episode that goes on is told then, and notifies', () => {
    const events = told([rule({ untilSec: BASE_SEC + 300 })])
    const states = events.map(({ event, suppressed, shouldNotify }) => ({ event, isMuted: suppressed !== undefined, shouldNotify }))
    expect(states[0]).toEqual({ event: 'open', isMuted: true, shouldNotify: false })
    const first = states.find(({ isMuted }) => !isMuted)
    expect(first).toEqual({ event: 'update', isMuted: false, shouldNotify: true })
    expect(states.at(-1)).toMatchObject({ event: 'close', isMuted: false })
    const at = events[states.findIndex(({ isMuted }) => !isMuted)].episode.lastUs / 1e6
    expect(at).toBeGreaterThanOrEqual(300)
    expect(at).toBeLessThan(320)
  })

  test('a victim outside the rule unmutes an episode at once, also one of a thousand', () => {
    const sweep = (count: number) =>
      range(count).map((i) => refused({ client: '10.0.0.9', server: `10.1.${i >> 8}.${i & 255}`, port: 445, at: i / 10 }))
    const outside = refused({ client: '10.0.0.9', server: '10.2.0.1', port: 445, at: 400 })
    const horizontal = rule({ kinds: ['scan.horizontal'], victims: ['10.1.0.0/16'] })
    const inside = told([horizontal], sweep(1500))
    expect(inside.length).toBeGreaterThan(2)
    expect(inside.every(({ suppressed }) => suppressed !== undefined)).toBe(true)
    // After 1128 the next flow is one at which the episode is judged anyway.
    for (const count of [40, 1128, 1500]) {
      const events = told([horizontal], [...sweep(count), outside])
      const unmuted = events.filter(({ suppressed }) => suppressed === undefined)
      expect(unmuted.map(({ event, shouldNotify }) => ({ event, shouldNotify }))).toEqual([
        { event: 'update', shouldNotify: true },
        { event: 'close', shouldNotify: false },
      ])
    }
  })
})
