/**
 * All benign explanations. A new one is a file beside this and a line here.
 */

import type { BenignRow } from './benign.ts'
import { CAPTURE_ARTEFACT } from './capture-artefact.ts'
import { DECLARED_ROLE } from './declared-role.ts'
import { SERVER_OUTAGE } from './server-outage.ts'
import { WORKING_SESSIONS } from './working-sessions.ts'

export const BENIGN: readonly BenignRow[] = [DECLARED_ROLE, SERVER_OUTAGE, WORKING_SESSIONS, CAPTURE_ARTEFACT]
