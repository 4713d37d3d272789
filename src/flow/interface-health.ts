/**
 * The books of one capture interface: what came from it, and what shows that it does not see everything.
 *
 * In:  counted by the meter, the flow table and the checks beside this file. Out: plain counters, since the run began.
 * The invariant: each counts up to the packet at hand, so that it does not matter where slabs are cut.
 */
export class InterfaceHealth {
  readonly interfaceId: number
  /** Frames decoded or refused, duplicates included. */
  packets = 0
  /** Of which the capture kept less than the wire carried. */
  cutShort = 0
  /** Second copies of a frame, not metered. */
  duplicates = 0
  /** TCP packets larger than a segment can be: several, merged by the capturing host. */
  oversize = 0
  /** Acknowledgements of something new on connections seen from their start, and those of data that was never seen. */
  acks = 0
  ackGaps = 0
  /** Packets whose checksums were looked at, those whose checksum does not fit, and those whose sender had not filled it in yet. */
  checksumsLooked = 0
  checksumsBad = 0
  checksumsEmpty = 0
  /** By the kernel's or the recording's own count; 0 while nothing was said. */
  received = 0
  lostByKernel = 0
  lostByInterface = 0

  constructor(interfaceId: number) {
    this.interfaceId = interfaceId
  }
}
