/**
 * Tells a consumer that works or waits from one that is dead in a living process, by signs of life only: an answered
 * fetch, a heartbeat or a join when idle, and for each batch in hand a word from its handler. Pure: time is passed in.
 */
export class StallWatch {
  readonly #stallMs: number
  readonly #joinMs: number
  readonly #inHand = new Set<WorkInHand>()
  readonly #unanswered = new Map<number, number>()
  #joining = true
  #lastSignMs: number

  /** @param limits `joinMs`: how long a join may take, as it waits for all members of the group */
  constructor(limits: { stallMs: number; joinMs: number }, nowMs: number) {
    this.#stallMs = limits.stallMs
    this.#joinMs = Math.max(limits.joinMs, limits.stallMs)
    this.#lastSignMs = nowMs
  }

  get inHand(): number {
    return this.#inHand.size
  }

  sign(nowMs: number): void {
    this.#lastSignMs = nowMs
  }

  joins(nowMs: number): void {
    this.#joining = true
    this.#unanswered.clear()
    this.sign(nowMs)
  }

  joined(nowMs: number): void {
    this.#joining = false
    this.#unanswered.clear()
    this.sign(nowMs)
  }

  /** A fetch that is repeated without an answer counts from its first time: the socket may be half dead. */
  fetchBegins(node: number, nowMs: number): void {
    if (!this.#unanswered.has(node)) this.#unanswered.set(node, nowMs)
  }

  fetchEnds(node: number, nowMs: number): void {
    this.#unanswered.delete(node)
    this.sign(nowMs)
  }

  workBegins(nowMs: number): WorkInHand {
    const work = { lastSignMs: nowMs }
    this.#inHand.add(work)
    return work
  }

  workEnds(work: WorkInHand, nowMs: number): void {
    this.#inHand.delete(work)
    this.sign(nowMs)
  }

  /** What stands still, in words; undefined while all is well. */
  stalled(nowMs: number): string | undefined {
    const limitMs = this.#joining ? this.#joinMs : this.#stallMs
    for (const { lastSignMs } of this.#inHand)
      if (nowMs - lastSignMs > this.#stallMs)
        return `a batch has been in hand for ${nowMs - lastSignMs} ms without progress`
    for (const [node, sinceMs] of this.#unanswered)
      if (nowMs - sinceMs > limitMs) return `broker ${node} has not answered for ${nowMs - sinceMs} ms`
    if (this.#inHand.size === 0 && nowMs - this.#lastSignMs > limitMs)
      return `no sign of life for ${nowMs - this.#lastSignMs} ms`
    return undefined
  }
}

/** A batch that its handler has not finished. */
export interface WorkInHand {
  lastSignMs: number
}
