import { expect, it } from 'vitest'
import { FailedTargets } from '../../src/context/failed-targets.ts'
import { seeded } from '../base/seeded.ts'

const HOUR_US = 3600e6

it('an answer takes out the server, and of its ports the one that answered', () => {
  const failed = new FailedTargets(HOUR_US, 1024)
  for (const port of [22, 80]) failed.add({ server: '10.0.0.1', port, atUs: 0 })
  failed.remove('10.0.0.1', 80)
  expect([failed.servers.count(), failed.spread(8).targets]).toEqual([0, [{ server: '10.0.0.1', port: 22 }]])
  // The server is no longer among those that never answered; its other port still stands, until it answers, too.
  failed.remove('10.0.0.1', 22)
  expect(failed.spread(8).targets).toEqual([])
})

it('gives what two plain sets give, whatever fails and answers', () => {
  const random = seeded(42)
  for (let round = 0; round < 200; round++) {
    const failed = new FailedTargets(HOUR_US, 1024)
    const servers = new Set<string>()
    const targets = new Set<string>()
    for (let i = 0; i < 30; i++) {
      const server = `10.0.0.${random.below(4)}`
      const port = random.below(3)
      if (random.below(2) === 0) {
        failed.add({ server, port, atUs: 0 })
        servers.add(server)
        targets.add(`${port} ${server}`)
      } else {
        failed.remove(server, port)
        servers.delete(server)
        targets.delete(`${port} ${server}`)
      }
    }
    expect(new Set(failed.servers.keys())).toEqual(servers)
    // As many ports as there are: rare ones are left out of a spread, so they are looked at one by one.
    for (let port = 0; port < 3; port++) {
      const onPort = [...targets].filter((target) => target.startsWith(`${port} `)).length
      const spread = failed.spread(3)
      if (spread.ports.includes(port)) expect(spread.targets.filter((target) => target.port === port).length).toBe(onPort)
    }
  }
})
