/**
 * Which networks are ours: the one option that several stages need.
 *
 * Out: the option table of the configuration's section `networks`; whether an address can be on the Internet at all, whatever is
 *      configured.
 */
import { NetworkSet } from './address.ts'
import type { OptionTable } from './option.ts'

export const NETWORKS_OPTIONS = {
  internal: {
    kind: 'networks',
    // RFC 1918, RFC 3927, loopback, RFC 4193, RFC 4291 section 2.5.6.
    default: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '127.0.0.0/8', 'fc00::/7', 'fe80::/10'],
    unit: '',
    comment:
      'Networks whose hosts are inside, the ones to protect. When no address of a capture is inside, direction is unknown and tests that need it say so.',
  },
} as const satisfies OptionTable

/** The same networks, and those that providers share among their customers (RFC 6598). */
const PRIVATE = new NetworkSet([...NETWORKS_OPTIONS.internal.default, '100.64.0.0/10'])

/** Such an address is somebody's own network: it is near, even where the configuration does not name it. */
export function isPrivate(address: string): boolean {
  return PRIVATE.has(address)
}
