/** Times as tshark has them. */

/** Seconds since 1970 with six digits, of eve's form, moved on by `afterUs`. */
export function eveMs(eve: string, afterUs = 0): string {
  const match = /^(.*)\.(\d{6})\+0000$/.exec(eve)
  if (match === null) throw new Error(`'${eve}' is no eve time`)
  const us = BigInt(Date.parse(`${match[1]}Z`)) * 1000n + BigInt(match[2]) + BigInt(afterUs)
  return `${us / 1_000_000n}.${String(us % 1_000_000n).padStart(6, '0')}`
}
