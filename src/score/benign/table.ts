/**
 * All benign explanations. A new one is a file beside this and a line here.
 */

import { ADDRESS_HAND_OVER } from './address-hand-over.ts'
import type { BenignRow } from './benign.ts'
import { CAPTURE_ARTEFACT } from './capture-artefact.ts'
import { COMMON_DESTINATION } from './common-destination.ts'
import { DECLARED_ROLE } from './declared-role.ts'
import { ECHOED_PINGS } from './echoed-pings.ts'
import { FLASH_CROWD } from './flash-crowd.ts'
import { INFRASTRUCTURE } from './infrastructure.ts'
import { LIVE_POLLING } from './live-polling.ts'
import { LONG_KNOWN_PAIR } from './long-known-pair.ts'
import { MEDIA_STREAM } from './media-stream.ts'
import { NAME_RELAY } from './name-relay.ts'
import { PEER_TO_PEER } from './peer-to-peer.ts'
import { RECURRING_JOB } from './recurring-job.ts'
import { ROUTER_ASKS } from './router-asks.ts'
import { SERVER_OUTAGE } from './server-outage.ts'
import { SHARED_DOWNLOAD } from './shared-download.ts'
import { TIMED_CHECKS } from './timed-checks.ts'
import { WORKING_SESSIONS } from './working-sessions.ts'

export const BENIGN: readonly BenignRow[] = [
  INFRASTRUCTURE,
  COMMON_DESTINATION,
  LONG_KNOWN_PAIR,
  LIVE_POLLING,
  DECLARED_ROLE,
  PEER_TO_PEER,
  SERVER_OUTAGE,
  FLASH_CROWD,
  WORKING_SESSIONS,
  RECURRING_JOB,
  MEDIA_STREAM,
  CAPTURE_ARTEFACT,
  SHARED_DOWNLOAD,
  ROUTER_ASKS,
  ADDRESS_HAND_OVER,
  NAME_RELAY,
  ECHOED_PINGS,
  TIMED_CHECKS,
]
