import { describe, expect, it } from 'vitest'
import type { LinkSighting } from '../../../src/decode/link-sighting.ts'
import { announcement, carried, judgeLink, mac, probe, reply, request } from '../arp-messages.ts'
import { range } from '../flows.ts'

const host = '10.0.0.7'
const gateway = '10.0.0.1'
const attacker = '10.0.0.66'
const evil = mac(attacker)

const said = (sightings: readonly LinkSighting[]): string[] =>
  judgeLink(sightings).map((alert) => `${alert.kind} ${alert.actor} → ${alert.victims.addresses[0]} (${alert.victims.count})`)

/** `count` addresses asked for, one every `gap` seconds; the first `answering` of them answer. */
const search = (count: number, answering: number, gap = 0.1, from = host): LinkSighting[] =>
  range(count).flatMap((i) => {
    const target = `10.0.1.${i}`
    return [request(from, target, i * gap), ...(i < answering ? [reply(target, from, i * gap + 0.01)] : [])]
  })
/** So that answers are known to be seen. */
const life = [request('10.0.0.3', gateway, 0), reply(gateway, '10.0.0.3', 0.001)]

describe('sweep.arp', () => {
  it('finds a search through a subnet, names who asked and whom', () => {
    const [alert] = judgeLink([...life, ...search(254, 6)])
    expect(alert).toMatchObject({ kind: 'sweep.arp', actor: host, actorSide: 'inside', flows: [], proto: 0x0806 })
    expect(alert.victims.count).toBe(254)
    expect(alert.likelihood).toBeGreaterThan(0.8)
    expect(alert.episode.flows).toBe(254)
  })

  it('meets its bar with the test alone', () => {
    expect(said([...life, ...search(20, 2, 2)])).toEqual([`sweep.arp ${host} → 10.0.1.0 (20)`])
  })

  it('does not take silence for a fact where no answer was seen at all', () => {
    const [alert] = judgeLink(search(254, 0))
    expect(alert.notEvaluated.map(({ code }) => code)).toContain('D4a.answers')
    expect(alert.evidence.map(({ code }) => code)).not.toContain('D4a.unanswered')
    expect(said(search(30, 0, 5))).toEqual([])
  })

  it.each<[string, LinkSighting[]]>([
    ['nineteen addresses', search(19, 0)],
    ['a monitoring host, which is answered', search(60, 55)],
    ['twenty addresses over an hour', search(20, 0, 180)],
    ['a morning: a hundred hosts that ask for three addresses each', range(100).flatMap((h) => search(3, 1, 0.1, `10.0.2.${h}`))],
    [
      'a morning: a hundred hosts that probe for and announce their own address',
      range(100).flatMap((h) => [probe(`10.0.2.${h}`, h), announcement(`10.0.2.${h}`, h + 2)]),
    ],
    [
      'a router that looks for whom outside hosts knock at',
      [...range(8).map((i) => carried(mac(gateway), mac('10.0.1.1'), `203.0.113.${i}`, '10.0.1.1', 0)), ...search(120, 9, 1, gateway)],
    ],
  ])('stays quiet: %s', (_name, sightings) => {
    expect(said([...life, ...sightings])).toEqual([])
  })
})

/** The victim knows its gateway, the attacker asks for it as everybody. */
const before = [
  request(host, gateway, 0),
  reply(gateway, host, 0.001),
  request(attacker, gateway, 1),
  reply(gateway, attacker, 1.001),
  ...range(4).map((i) => carried(mac(gateway), mac(host), `203.0.113.${i}`, host, 2 + i / 10)),
]
const poison = (count: number, from = 10, gap = 2): LinkSighting[] => range(count).map((i) => reply(gateway, host, from + i * gap, evil))
/** The gateway goes on sending. */
const after = [carried(mac(gateway), mac('10.0.0.3'), '203.0.113.1', '10.0.0.3', 11)]

describe('mitm.arp', () => {
  it('finds an address that a host is told unasked, again and again, beside its owner', () => {
    const [alert] = judgeLink([...before, ...poison(5), ...after])
    expect(alert).toMatchObject({ kind: 'mitm.arp', actor: attacker, actorSide: 'inside', flows: [], episode: { flows: 5 } })
    expect(alert.victims.addresses).toEqual([host, gateway])
    expect(alert.evidence.map(({ code }) => code)).toEqual(expect.arrayContaining(['D19.conflict', 'D19.gateway']))
    expect(alert.likelihood).toBeGreaterThan(0.7)
    expect(alert.pictures[0]).toMatchObject({ picture: 'claims', macs: [mac(gateway), evil] })
  })

  it('weighs packets that then come over the claimant, and does not count them as messages', () => {
    const diverted = range(9).map((i) => carried(evil, mac(host), `203.0.113.${i % 4}`, host, 12 + i))
    const [alert] = judgeLink([...before, ...poison(5), ...after, ...diverted])
    expect(alert.evidence.map(({ code }) => code)).toContain('D19.traffic')
    expect(alert.episode.flows).toBe(5)
    expect(alert.severityWhy.join()).toContain('packets then took their way')
  })

  it('needs no second claim where the packets tell; a claimant without an address goes by its card', () => {
    const silent = range(4).map((i) => carried(mac(gateway), mac(host), `203.0.113.${i}`, host, i))
    const diverted = range(4).map((i) => carried(evil, mac(host), `203.0.113.${i}`, host, 12 + i))
    expect(said([...silent, ...poison(1), ...diverted])).toEqual([`mitm.arp ${evil} → ${host} (2)`])
  })

  it('believes it where the port sees one host only, so that the real gateway falls silent', () => {
    expect(said([...before, ...poison(12)])).toEqual([`mitm.arp ${attacker} → ${host} (2)`])
  })

  it('finds announcements that talk over the owner time and again', () => {
    const fight = range(5).flatMap((i) => [
      announcement(gateway, 10 + i * 5, evil),
      request(host, gateway, 12 + i * 5),
      reply(gateway, host, 12.001 + i * 5),
    ])
    expect(said([...before, ...fight])).toEqual([`mitm.arp ${attacker} → ${gateway} (1)`])
  })

  it.each<[string, LinkSighting[]]>([
    ['two unasked replies', [...before, ...poison(2), ...after]],
    ['unasked replies of the owner', [...before, ...range(9).map((i) => reply(gateway, host, 10 + i))]],
    ['one address in two VLANs', [...before, ...poison(9).map((one) => ({ ...one, segment: '7' }) as LinkSighting), ...after]],
    [
      'a docking laptop: the other card announces the address, the first one is silent, and back',
      [0, 1, 2].flatMap((i) => {
        const card = mac(i % 2 === 0 ? host : '10.9.9.9')
        return [
          request(host, gateway, i * 60, card),
          ...range(3).map((k) => announcement(host, i * 60 + 1 + k, card)),
          ...range(9).map((k) => request(host, gateway, i * 60 + 5 + 5 * k, card)),
        ]
      }),
    ],
    [
      'a spare router that takes over by its own card and announces it five times, twice; the first one lives on',
      [
        ...before,
        request('10.0.0.3', host, 3, mac('10.0.0.3')),
        ...range(5).map((k) => announcement(gateway, 20 + k / 100, mac('10.0.0.3'))),
        ...range(5).map((k) => announcement(gateway, 25 + k / 100, mac('10.0.0.3'))),
        request('10.0.0.2', host, 26, mac(gateway)),
        ...range(9).map((k) => request(host, gateway, 30 + k)),
        ...range(9).map((k) => reply(gateway, host, 30.001 + k, mac('10.0.0.3'))),
      ],
    ],
    ['a virtual router’s card', [...before, ...range(9).map((i) => reply(gateway, host, 10 + i, '00:00:5e:00:01:0a')), ...after]],
    [
      'a lease that went to another host',
      [
        request(host, gateway, 0),
        probe(host, 100, evil),
        ...range(2).map((i) => announcement(host, 105 + 2 * i, evil)),
        ...range(20).map((i) => request(host, gateway, 110 + i, evil)),
      ],
    ],
    [
      'a proxy that answers for many, when asked',
      range(30).flatMap((i) => [
        request(host, `10.0.5.${i}`, i),
        reply(`10.0.5.${i}`, host, i + 0.001, mac(gateway)),
        reply(`10.0.5.${i}`, host, i + 0.002),
      ]),
    ],
    [
      'a spare that tells each host so, while the card before has fallen silent',
      [request(gateway, host, 0), ...range(9).map((i) => reply(gateway, `10.0.0.${70 + i}`, 10 + i, evil))],
    ],
    [
      'two machines with one address, both defending it',
      range(9).flatMap((i) => [
        request(host, gateway, i * 10),
        announcement(host, i * 10 + 1),
        request(host, gateway, i * 10 + 2, evil),
        announcement(host, i * 10 + 3, evil),
      ]),
    ],
    [
      'a machine that tells its neighbours of both its addresses',
      range(6).flatMap((i) => ['10.0.0.3', '10.0.0.4'].flatMap((to) => [host, gateway].map((own) => reply(own, to, 10 + i * 2, evil)))),
    ],
  ])('stays quiet: %s', (_name, sightings) => {
    expect(said(sightings)).toEqual([])
  })
})

describe('mitm.arp, from beginning to end', () => {
  it('finds who stands between two hosts though the capture began after the owners were last heard', () => {
    const bothWays = range(6).flatMap((i) => [reply(gateway, host, 10 + i * 2, evil), reply(host, gateway, 10.1 + i * 2, evil)])
    const mended = range(4).flatMap((i) => [reply(gateway, host, 30 + i), reply(host, gateway, 30.5 + i)])
    for (const sightings of [bothWays, [...bothWays, ...mended]]) {
      const alerts = judgeLink(sightings)
      expect(alerts.map(({ kind, actor }) => `${kind} ${actor}`)).toEqual([`mitm.arp ${evil}`])
      expect(alerts[0].evidence.map(({ code }) => code)).toContain('D19.between')
      expect(alerts[0].likelihood).toBeGreaterThan(0.7)
    }
  })

  it('what a tool says when it mends what it broke accuses nobody else', () => {
    const mended = range(5).map((i) => reply(gateway, host, 30 + i))
    expect(said([...before, ...poison(6), ...mended, ...after])).toEqual([`mitm.arp ${attacker} → ${host} (2)`])
  })
})

describe('mitm.arp and the cards of one machine', () => {
  const moved = (from: string, to: string): LinkSighting[] => [
    ...range(4).map((i) => carried(from, mac(host), gateway, host, i)),
    reply(gateway, host, 10, to),
    ...range(40).map((i) => carried(to, mac(host), gateway, host, 11 + i)),
  ]

  it('an access point has cards in a row: that another of them spoke before is no diversion', () => {
    expect(said(moved('24:e9:b3:47:ae:25', '24:e9:b3:47:ae:20'))).toEqual([])
  })

  it('cards of other makers, or numbered by virtual machines, are those of others', () => {
    expect(said(moved('24:e9:b3:47:ae:25', '00:1b:21:47:ae:20'))).toHaveLength(1)
    expect(said(moved('02:42:ac:12:00:02', '02:42:ac:12:00:03'))).toHaveLength(1)
  })
})
