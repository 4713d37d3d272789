/**
 * What a seam reacts to: a frame of an EtherType for experiments, whose first octet says what shall go wrong.
 *
 * In:  the frame in a slab. Out: the letter, '' for none. Built into a sensor for tests by build-seams.ts, never into dist/.
 */
import { u32le } from '../../../src/base/bytes.ts'
import { REC_CAP_LEN, REC_HEADER_LEN, type Slab } from '../../../src/capture/slab.ts'

/** IEEE 802: local experimental EtherType 1. */
export const SEAM_ETHER_TYPE = 0x88b5

export function seamOf({ bytes, start, end }: Slab): string {
  for (let at = start; at < end; at += REC_HEADER_LEN + u32le(bytes, at + REC_CAP_LEN)) {
    const frame = at + REC_HEADER_LEN
    if (u32le(bytes, at + REC_CAP_LEN) > 14 && (bytes[frame + 12] << 8) + bytes[frame + 13] === SEAM_ETHER_TYPE)
      return String.fromCharCode(bytes[frame + 14])
  }
  return ''
}
