/**
 * The single sessions of one client with one service, lately.
 *
 * In:  sessions with payload both ways, by their start. Out: those of the last five to ten minutes, at most 2 × SESSIONS_MAX.
 * Not: long connections' later pieces: they belong to the session that began them.
 */

const BUCKET_US = 5 * 60e6
/** Per bucket; what comes beyond is counted, not kept. */
const SESSIONS_MAX = 256

export interface Session {
  flowId: number
  atUs: number
  durationUs: number
  /** Payload octets from the client, and from the server. */
  clientBytes: number
  serverBytes: number
}

export class SessionWindow {
  #slot = Number.NEGATIVE_INFINITY
  #now: Session[] = []
  #before: Session[] = []
  #nowBeyond = 0
  #beforeBeyond = 0

  add(session: Session): void {
    const slot = Math.floor(session.atUs / BUCKET_US)
    if (slot > this.#slot) {
      const isNext = slot === this.#slot + 1
      this.#before = isNext ? this.#now : []
      this.#beforeBeyond = isNext ? this.#nowBeyond : 0
      this.#now = []
      this.#nowBeyond = 0
      this.#slot = slot
    }
    if (this.#now.length < SESSIONS_MAX) this.#now.push(session)
    else this.#nowBeyond++
  }

  /** In order of arrival. */
  list(): readonly Session[] {
    return [...this.#before, ...this.#now]
  }

  /** Sessions of the window that are not in the list. */
  beyondCount(): number {
    return this.#nowBeyond + this.#beforeBeyond
  }
}
