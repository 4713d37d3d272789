/**
 * MAC addresses as text.
 *
 * In:  six octets that the caller's length check has covered. Out: `00:00:5e:00:01:0a`, lower case, as tcpdump and eve write it.
 * Not: names of makers.
 */

const MAC_LEN = 6
const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'))

export function formatMac(b: Uint8Array, at: number): string {
  let text = HEX[b[at]]
  for (let i = 1; i < MAC_LEN; i++) text += `:${HEX[b[at + i]]}`
  return text
}
