/**
 * The two CICFlowMeters, as a table: one row for each behaviour in which they differ, with FEATURES.md's number.
 *
 * Out: for a profile, which behaviours hold; the reference meter asks for them by name and has no other idea of a profile.
 * Not: what both tools do alike, right or wrong: that is the reference meter itself.
 */

/** `corrected` is GintsEngelen/CICFlowMeter 4dd5319, `as-published` ahlashkari/CICFlowMeter 98a5eba. */
export const COMPAT_PROFILES = ['corrected', 'as-published'] as const
export type CompatProfile = (typeof COMPAT_PROFILES)[number]

interface Rule {
  number: string
  name: string
  /** What a meter does that has this behaviour. */
  does: string
  /** The profile that has it; the other has not. */
  in: CompatProfile
  /** The identifying column that it spoils; features name their own rules. */
  column?: string
}

export const RULES = [
  {
    number: 'O1',
    name: 'firstBackwardFinEnds',
    in: 'as-published',
    does: 'the first FIN of the responder ends the flow, one of the initiator never',
  },
  {
    number: 'O2',
    name: 'repeatedForwardFinIsLost',
    in: 'as-published',
    does: 'the second FIN of the initiator and all later ones are not counted at all',
  },
  // Its opposite is F1: a closed flow takes packets in until a SYN or the 120 s cut ends it.
  {
    number: 'O3',
    name: 'endedFlowsLeave',
    in: 'as-published',
    does: 'an ended flow leaves the table at once, so that its last ACK or a repeated RST opens a stray flow',
  },
  { number: 'O4', name: 'onePacketFlowsAreLost', in: 'as-published', does: 'a flow of one packet is never written' },
  {
    number: 'O5',
    name: 'cutStartsForward',
    in: 'as-published',
    does: 'the first packet after a cut counts as forward, whatever its direction',
  },
  {
    number: 'O6',
    name: 'firstLengthCountsTwice',
    in: 'as-published',
    does: "the first packet's length enters the flow's length statistics twice",
  },
  {
    number: 'O7',
    name: 'flagsOfFirstPacketOnly',
    in: 'as-published',
    does: 'Fwd PSH and URG Flags see the first packet only, the Bwd ones none',
  },
  {
    number: 'O8',
    name: 'bulksMixDirections',
    in: 'as-published',
    does: 'every packet goes through the backward bulk counter, which nothing from the other side breaks',
  },
  { number: 'O9', name: 'bulkMeansAreWhole', in: 'as-published', does: 'bulk means and rates are cut to whole numbers' },
  { number: 'O10', name: 'subflowMeansAreWhole', in: 'as-published', does: 'subflow values are cut to whole numbers' },
  { number: 'O11', name: 'downUpRatioIsWhole', in: 'as-published', does: 'Down/Up Ratio is cut to a whole number' },
  { number: 'O12', name: 'firstPacketIsNoData', in: 'as-published', does: 'Fwd Act Data Pkts leaves the first packet out' },
  {
    number: 'O13',
    name: 'lastBackwardWindow',
    in: 'as-published',
    does: 'Bwd Init Win Bytes is the last window of the responder, not its first that is not 0',
  },
  { number: 'O14', name: 'ratesDivideByZero', in: 'as-published', does: 'flow rates are Infinity or NaN when the duration is 0, not -1' },
  {
    number: 'O17',
    name: 'twelveHourTime',
    column: 'Timestamp',
    in: 'as-published',
    does: 'Timestamp is in whole seconds of a 12-hour clock, in the time zone of the machine (here UTC)',
  },
  { number: 'F8', name: 'synAckReverses', in: 'corrected', does: 'a flow that starts with SYN+ACK has its receiver for a source' },
  {
    number: 'F11',
    name: 'silentUdpStartsAnew',
    column: 'Flow ID',
    in: 'corrected',
    does: 'UDP after more than 120 s of silence is a flow of its own, under the old Flow ID',
  },
] as const satisfies readonly Rule[]

export type RuleName = (typeof RULES)[number]['name']
export type Rules = Readonly<Record<RuleName, boolean>>

export function rulesOf(profile: CompatProfile): Rules {
  return Object.fromEntries(RULES.map((rule) => [rule.name, rule.in === profile])) as Record<RuleName, boolean>
}
