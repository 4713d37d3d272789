/**
 * Why an interface cannot be captured, in words that say what to do.
 *
 * In:  what the meter's thread was told by the driver. Out: one line.
 */
import { userInfo } from 'node:os'
import { loadRing } from '../capture/ring-addon.ts'
import type { LiveMessage, LiveMeterOptions } from './metering.ts'

/** @returns one line with its remedy */
export function explainFailure(
  { device, code, message }: Extract<LiveMessage, { kind: 'failed' }>,
  { interfaces, driver }: Pick<LiveMeterOptions, 'interfaces' | 'driver'>,
): string {
  if (code === 'ENORING') {
    return 'live capture is not built here: sudo apt-get install gcc libc6-dev libpcap-dev, then npm start in the checkout; or --driver cap'
  }
  if (code === 'ENOCAP') return 'the driver cap is not installed: npm install cap, where node-gyp finds a C++ compiler; or --driver ring'
  if (code === 'EPERM') return `${device}: no right to capture. ${grantingCommand(interfaces.map((one) => one.device))}`
  if (code === 'ENODEV') return `${device}: no such interface; there are: ${deviceNames().join(', ')}`
  if (code === 'ENETDOWN') return `${device}: the interface is down; sudo ip link set ${device} up`
  if (code === 'EFANOUT') return `${device}: its packets cannot be shared among queues: ${message}; --queues 1 needs no sharing`
  if (code === 'EFILTER') return `${device}: ${message}; see pcap-filter(7)`
  return device === '' ? message : `${device}: cannot be captured by ${driver}: ${message}`
}

/** One capability (systemd/README.md), for this one process: a node binary with them would give raw sockets to every script. */
function grantingCommand(devices: readonly string[]): string {
  const words = devices.map((device) => `-i ${device}`).join(' ')
  const { uid, gid } = userInfo()
  const user = uid > 0 ? `--reuid ${uid} --regid ${gid} --init-groups ` : ''
  return `Grant it with: sudo setpriv ${user}--inh-caps +net_raw --ambient-caps +net_raw flowscribe run ${words}`
}

function deviceNames(): string[] {
  try {
    return (loadRing()?.devices() ?? []).map(({ name }) => name)
  } catch {
    return []
  }
}
