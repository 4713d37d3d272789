/**
 * Suricata's rule language as far as our rules use it, strictly: for machines without Suricata itself (Debian 12 has none).
 * Source: Suricata user guide, "Rules Format", "Meta Keywords", "IP Keywords", "TCP keywords", "Flow Keywords", "Payload Keywords".
 */
import { parseAddress } from '../../src/base/address.ts'

const CLASSTYPES = new Set([
  ...['network-scan', 'attempted-recon', 'denial-of-service', 'attempted-dos', 'unsuccessful-user', 'command-and-control'],
  ...['misc-attack', 'bad-unknown', 'policy-violation'],
])

/** Each option's argument, and the protocols it may stand under. */
const OPTIONS: Readonly<Record<string, { argument: RegExp; protos?: readonly string[] }>> = {
  msg: { argument: /^"[^";\\]+"$/ },
  flags: { argument: /^[SAFRPU]{1,6}(,[CE12]{1,2})?$/, protos: ['tcp'] },
  flow: { argument: /^established$/, protos: ['tcp', 'udp'] },
  stream_size: { argument: /^(client|server|both|either),[<>=!]{1,2},\d{1,10}$/, protos: ['tcp'] },
  dsize: { argument: /^[<>]?\d{1,5}$/ },
  itype: { argument: /^\d{1,3}$/, protos: ['icmp'] },
  threshold: { argument: /^type (limit|threshold|both), track by_(src|dst), count [1-9]\d*, seconds [1-9]\d*$/ },
  classtype: { argument: /^[a-z-]+$/ },
  sid: { argument: /^[1-9]\d{0,9}$/ },
  rev: { argument: /^[1-9]\d*$/ },
}

/** What is wrong with a rule; empty when nothing is. */
export function suricataFaults(rule: string): string[] {
  const match = /^(alert) (tcp|udp|icmp|ip) (\S+) (\S+) -> (\S+) (\S+) \((.*;)\)$/.exec(rule)
  if (match === null) return ['not: alert PROTO ADDRESS PORT -> ADDRESS PORT (OPTIONS;)']
  const [, , proto, from, fromPort, to, toPort, body] = match
  const options = body.split(/;\s?/).filter((option) => option !== '')
  const names = options.map((option) => option.split(':')[0])
  return [
    ...[from, to].filter((address) => !isAddress(address)).map((address) => `address ${address}`),
    ...[fromPort, toPort].filter((port) => !isPort(port, proto)).map((port) => `port ${port}`),
    ...options.flatMap((option) => optionFaults(option, proto)),
    ...['msg', 'classtype', 'sid', 'rev'].filter((name) => !names.includes(name)).map((name) => `no ${name}`),
    ...names.filter((name, i) => names.indexOf(name) !== i).map((name) => `${name} twice`),
  ]
}

function optionFaults(option: string, proto: string): string[] {
  const at = option.indexOf(':')
  const [name, argument] = [option.slice(0, at), option.slice(at + 1)]
  const known = OPTIONS[name]
  if (known === undefined) return [`option ${option}`]
  if (!known.argument.test(argument)) return [`argument of ${option}`]
  if (known.protos !== undefined && !known.protos.includes(proto)) return [`${name} under ${proto}`]
  if (name === 'classtype' && !CLASSTYPES.has(argument)) return [`classtype ${argument}`]
  return name === 'stream_size' && Number(argument.split(',')[2]) > 0xffff_ffff ? ['stream_size beyond 32 bits'] : []
}

function isAddress(text: string): boolean {
  if (text === 'any' || text === '$HOME_NET') return true
  const list = /^\[(.+)\]$/.exec(text)
  return (list === null ? [text] : list[1].split(',')).every((address) => parseAddress(address) !== null)
}

function isPort(text: string, proto: string): boolean {
  if (text === 'any') return true
  return (proto === 'tcp' || proto === 'udp') && /^\d{1,5}$/.test(text) && Number(text) <= 65_535
}
