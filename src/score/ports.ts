/**
 * Server ports by what their regular use looks like, each list once.
 *
 * Source: IANA's registry, cut to what is common on real networks; the lists of SCORER.md sections 3 and 6.
 * Not: what is really spoken there; headers do not say.
 */

/** Where clients ask on a timer and are answered: web, mail, push, chat (B4). */
export const POLLED_PORTS: ReadonlySet<number> = new Set([
  80, 110, 143, 443, 465, 587, 853, 993, 995, 1883, 3128, 3478, 5222, 5223, 5228, 5349, 8080, 8883, 19_302,
])

/** Infrastructure that hosts use by themselves: names, time, addresses, discovery, directory (B1). */
export const INFRASTRUCTURE_PORTS: ReadonlySet<number> = new Set([
  53, 67, 68, 88, 123, 137, 138, 161, 162, 389, 514, 546, 547, 853, 1812, 1813, 1900, 3702, 5351, 5353, 5355,
])

/** Other services that people and programs go to outside. What is in none of the three lists is an odd port for a client. */
const OTHER_USUAL_PORTS: ReadonlySet<number> = new Set([
  20, 21, 22, 25, 43, 119, 179, 500, 563, 636, 873, 989, 990, 1194, 1701, 1723, 3074, 3306, 3389, 4070, 4460, 4500, 5060, 5061, 5432, 6667,
  6697, 8333, 9418, 11_371, 27_015, 51_413, 51_820,
])

export function isOddPort(port: number): boolean {
  return !POLLED_PORTS.has(port) && !INFRASTRUCTURE_PORTS.has(port) && !OTHER_USUAL_PORTS.has(port)
}

/** UDP services known to answer with far more than they are asked (US-CERT TA14-017A and later; SCORER.md D7). */
export const AMPLIFIER_PORTS: ReadonlySet<number> = new Set([
  17, 19, 53, 69, 111, 123, 137, 161, 177, 389, 427, 500, 520, 523, 623, 1194, 1434, 1900, 3283, 3389, 3478, 3702, 4500, 5060, 5093, 5353,
  5683, 6881, 7001, 10_001, 11_211, 27_015, 30_718, 32_414, 33_848, 37_020, 37_810, 41_794,
])

/** Where idle connections wait in pools and sessions by design: many slow ones from one client are nothing. */
export const IDLE_BY_DESIGN_PORTS: ReadonlySet<number> = new Set([
  22, 23, 25, 110, 143, 389, 445, 465, 587, 636, 993, 995, 1433, 1521, 1883, 2049, 3260, 3268, 3306, 3389, 4222, 5222, 5223, 5228, 5432,
  5671, 5672, 5900, 6379, 6667, 8883, 9042, 9092, 11_211, 27_017,
])
