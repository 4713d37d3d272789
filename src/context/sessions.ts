/**
 * The single sessions of one client with one service, lately.
 *
 * In:  sessions with payload both ways, by their start. Out: the newest of the last five to ten minutes, by start,
 *      at most 2 × SESSIONS_MAX.
 * Not: long connections' later pieces: they belong to the session that began them; nor what remains of sessions that had begun before the
 *      capture: it says nothing about their size.
 */

const BUCKET_US = 5 * 60e6
/** Per bucket; then a new one takes the place of the oldest, which is only counted. */
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

  add(session: Session): void {
    const slot = Math.floor(session.atUs / BUCKET_US)
    if (slot > this.#slot) {
      this.#before = slot === this.#slot + 1 ? this.#now : []
      this.#now = []
      this.#nowBeyond = 0
      this.#slot = slot
    }
    if (this.#now.length < SESSIONS_MAX) this.#now.push(session)
    else this.#now[this.#nowBeyond++ % SESSIONS_MAX] = session
  }

  /** Those that began at or after `fromUs`, by start. */
  since(fromUs: number): Session[] {
    const since: Session[] = []
    for (const session of this.#before) if (session.atUs >= fromUs) since.push(session)
    for (const session of this.#now) if (session.atUs >= fromUs) since.push(session)
    return since.length > 1 ? since.sort((a, b) => a.atUs - b.atUs) : since
  }

  /** Sessions of the present bucket that are no longer kept. */
  beyondCount(): number {
    return this.#nowBeyond
  }
}
