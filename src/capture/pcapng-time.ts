/**
 * A pcapng timestamp as seconds and nanoseconds, whatever unit its interface counts in.
 *
 *   if_tsresol:   bit 7 clear: units of 10^-n s; set: units of 2^-n s, n in bits 0–6. Absent: microseconds.
 *   if_tsoffset:  seconds, signed 64 bits, to be added.
 *
 * In:  the two 32-bit halves of a 64-bit count. Out: `sec` and `nsec`, fields of the one instance that an interface has.
 * Not: times before 1970 or after 2106, which a slab cannot hold: they are clamped to its range, and `isClamped` says so.
 * The invariant: exact to the nanosecond. A 64-bit count does not fit a double, so it is divided by halves of its halves.
 */

const U32 = 2 ** 32
const U16 = 2 ** 16
const SEC_MAX = U32 - 1
const NS_PER_S = 1e9
const NS_DIGITS = 9

const RESOLUTION_IS_BINARY = 0x80
const MICROSECONDS = 6
/** 10^20 units a second are more than 64 bits hold: all times are under a second then. */
const DECIMAL_DIGITS_MAX = 20

export class PcapngClock {
  sec = 0
  nsec = 0
  isClamped = false
  /** Seconds to be added. */
  offsetSec = 0
  #isBinary = false
  #exponent = MICROSECONDS
  // The quotient's halves and the remainder of the last division.
  #high = 0
  #low = 0
  #rest = 0

  /** @param resolution the octet of if_tsresol */
  setResolution(resolution: number): void {
    this.#isBinary = (resolution & RESOLUTION_IS_BINARY) !== 0
    this.#exponent = resolution & ~RESOLUTION_IS_BINARY
  }

  read(high: number, low: number): void {
    if (this.#isBinary) this.#readBinary(high, low)
    else this.#readDecimal(high, low)
    const sec = this.sec + this.offsetSec
    this.isClamped = sec < 0 || sec > SEC_MAX
    this.sec = Math.min(Math.max(sec, 0), SEC_MAX)
  }

  #readDecimal(high: number, low: number): void {
    const digits = this.#exponent
    if (digits > DECIMAL_DIGITS_MAX) {
      this.sec = 0
      this.nsec = 0
    } else if (digits <= NS_DIGITS) {
      this.#divide(high, low, 10 ** digits)
      this.sec = this.#high * U32 + this.#low
      this.nsec = this.#rest * 10 ** (NS_DIGITS - digits)
    } else {
      this.#divide(high, low, 10 ** (digits - NS_DIGITS))
      this.#divide(this.#high, this.#low, NS_PER_S)
      this.sec = this.#high * U32 + this.#low
      this.nsec = this.#rest
    }
  }

  /** Exact as long as the divisor is under 2^37: then every partial dividend is under 2^53. */
  #divide(high: number, low: number, divisor: number): void {
    let quotientHigh = 0
    let quotientLow = 0
    let rest = 0
    for (let i = 0; i < 4; i++) {
      const half = i < 2 ? high : low
      const dividend = rest * U16 + ((i & 1) === 0 ? half >>> 16 : half & 0xffff)
      const digit = Math.floor(dividend / divisor)
      rest = dividend - digit * divisor
      if (i < 2) quotientHigh = quotientHigh * U16 + digit
      else quotientLow = quotientLow * U16 + digit
    }
    this.#high = quotientHigh
    this.#low = quotientLow
    this.#rest = rest
  }

  /** The fraction's lower bits beyond a double's 53 are far under a nanosecond. */
  #readBinary(high: number, low: number): void {
    const bits = this.#exponent
    const isHighSplit = bits >= 32
    const split = 2 ** (isHighSplit ? bits - 32 : bits)
    const whole = isHighSplit ? Math.floor(high / split) : high * (U32 / split) + Math.floor(low / split)
    const fraction = isHighSplit ? ((high - whole * split) * U32 + low) / (split * U32) : (low % split) / split
    this.sec = whole
    this.nsec = Math.min(Math.floor(fraction * NS_PER_S), NS_PER_S - 1)
  }
}
