/**
 * Where a client's contacts failed that never answered it: by server, and by server and port.
 *
 * In:  failures and answers. Out: distinct failed servers, and how they spread over the commonest ports.
 * Not: servers that answered this client on any port; an answer takes a server out again.
 *
 * Bounded by its two windows: 1,024 targets a bucket by name, beyond that an estimate.
 */

import { DistinctWindow } from './distinct-window.ts'

/** The spread is measured anew when the number of targets has grown by one in eight, so that a fast scan doesn't sort at every probe. */
const REMEASURE_SHARE = 1 / 8
/** A port of the spread has at least this share of the commonest port's servers. */
const PORT_SHARE_MIN = 0.2

export interface Target {
  server: string
  port: number
}

export interface FailedTarget extends Target {
  atUs: number
}

export interface Spread {
  /** Distinct failed servers on those ports. */
  servers: number
  /** The commonest ports, the commonest first. */
  ports: readonly number[]
  /** The targets on those ports that are held by name, and their servers, each once. */
  targets: readonly Target[]
  names: readonly string[]
}

export class FailedTargets {
  readonly servers: DistinctWindow<string>
  readonly #targets: DistinctWindow<string>
  #measured: { portsMax: number; atCount: number; firstUs: number; spread: Spread } | null = null

  constructor(widthUs: number, listedMax: number) {
    this.servers = new DistinctWindow(widthUs, listedMax)
    this.#targets = new DistinctWindow(widthUs, listedMax)
  }

  add({ server, port, atUs }: FailedTarget): void {
    this.servers.add(server, atUs)
    this.#targets.add(`${port} ${server}`, atUs)
  }

  remove(server: string, port: number): void {
    const wasListed = this.servers.remove(server)
    // Nearly every answer comes from a server that never failed: no text is joined for those.
    if (wasListed || this.#hasSeveralPorts()) this.#targets.remove(`${port} ${server}`)
  }

  /** Each listed server has a target, so that as many targets as servers are one each: none is left of a server taken out. */
  #hasSeveralPorts(): boolean {
    return this.#targets.isEstimate() || this.servers.isEstimate() || this.#targets.count() !== this.servers.count()
  }

  /** How the targets spread over the `portsMax` commonest ports. */
  spread(portsMax: number): Spread {
    const count = this.#targets.count()
    const firstUs = this.#targets.firstUs()
    const last = this.#measured
    const isFresh = last !== null && last.portsMax === portsMax && last.firstUs === firstUs
    if (isFresh && count >= last.atCount && count < last.atCount * (1 + REMEASURE_SHARE)) return last.spread
    const spread = this.#measure(portsMax)
    this.#measured = { portsMax, atCount: count, firstUs, spread }
    return spread
  }

  #measure(portsMax: number): Spread {
    const all = this.#targets.keys().map(parseTarget)
    const byPort = new Map<number, number>()
    for (const { port } of all) byPort.set(port, (byPort.get(port) ?? 0) + 1)
    const commonest = [...byPort].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, portsMax)
    // Ports of another pastime of the same host (a port scan of one server) are no part of the spread.
    const ports = commonest.filter(([, count]) => count >= commonest[0][1] * PORT_SHARE_MIN).map(([port]) => port)
    const targets = all.filter(({ port }) => ports.includes(port))
    const names = distinctServers(targets)
    if (!this.#targets.isEstimate()) return { servers: names.length, ports, targets, names }
    // Past the exact list, the list's share stands for the whole.
    const share = names.length / Math.max(1, distinctServers(all).length)
    return { servers: Math.round(this.servers.count() * share), ports, targets, names }
  }
}

function parseTarget(key: string): Target {
  const at = key.indexOf(' ')
  return { port: Number(key.slice(0, at)), server: key.slice(at + 1) }
}

function distinctServers(targets: readonly Target[]): string[] {
  const servers = new Set<string>()
  for (const { server } of targets) servers.add(server)
  return [...servers]
}
