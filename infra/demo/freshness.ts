import type { ReferenceScorer } from '@freshet/model/run/score-documents.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { GatewayClient } from './gateway-client.ts'
import type { Tally } from './tally.ts'

const MAX_WATCHED = 16
const ASK_EVERY_MS = 20
const ASK_DELETED_EVERY_MS = 200
const GIVE_UP_MS = 60_000
const TOLERANCE = 1e-4

/** Measures freshness from outside: from the moment a write returned until the gateway answers with its score. */
export class FreshnessProbe {
  readonly #watched = new Set<Promise<void>>()
  #watchesDeleted = false
  readonly #options: { gateway: GatewayClient; reference: ReferenceScorer; tally: Tally }

  constructor(options: { gateway: GatewayClient; reference: ReferenceScorer; tally: Tally }) {
    this.#options = options
  }

  /** True when one more document can be watched. */
  get hasRoom(): boolean {
    return this.#watched.size < MAX_WATCHED
  }

  /** @param before the document that `after` replaces; when both score alike nothing can be seen, so nothing is measured. */
  watch(key: string, before: object | undefined, after: object): void {
    const indexedAtMs = performance.now()
    const watching = this.#watch(key, before, after, indexedAtMs).finally(() =>
      this.#watched.delete(watching),
    )
    this.#watched.add(watching)
  }

  /** One at a time: a delete is found by the next sweep, which takes seconds. */
  watchDeleted(key: string): void {
    if (this.#watchesDeleted) return
    this.#watchesDeleted = true
    const watching = this.#watchDeleted(key, performance.now()).finally(() => {
      this.#watchesDeleted = false
      this.#watched.delete(watching)
    })
    this.#watched.add(watching)
  }

  /** Waits until the gateway has a score for the key. */
  async answered(key: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (await this.#hasScore(key)) return
      await systemClock.sleep(ASK_EVERY_MS, signal)
    }
  }

  async settle(): Promise<void> {
    await Promise.all(this.#watched)
  }

  async #watch(key: string, before: object | undefined, after: object, indexedAtMs: number): Promise<void> {
    const { gateway, tally } = this.#options
    const wanted = await this.#scoreOf(after)
    const old = before && (await this.#scoreOf(before))
    if (wanted === undefined || (old !== undefined && isClose(old, wanted))) return
    while (performance.now() - indexedAtMs < GIVE_UP_MS) {
      // A lookup that fails is the callers' to count; here it only means "not yet".
      const score = await gateway.lookup(key).then(
        ({ answer }) => answer?.score,
        () => undefined,
      )
      if (score != null && isClose(score, wanted)) {
        tally.freshnessMs.add(performance.now() - indexedAtMs)
        return
      }
      await systemClock.sleep(ASK_EVERY_MS)
    }
    tally.neverFresh++
  }

  async #watchDeleted(key: string, deletedAtMs: number): Promise<void> {
    const { gateway, tally } = this.#options
    // What has no score yet, as of a document that came and went between two looks, has nothing to lose.
    if (!(await this.#hasScore(key).catch(() => false))) return
    while (performance.now() - deletedAtMs < GIVE_UP_MS) {
      const status = await gateway.lookup(key).then(
        (answer) => answer.status,
        () => undefined,
      )
      if (status === 404) {
        tally.goneMs.add(performance.now() - deletedAtMs)
        return
      }
      await systemClock.sleep(ASK_DELETED_EVERY_MS)
    }
    tally.neverGone++
  }

  async #hasScore(key: string): Promise<boolean> {
    const { answer } = await this.#options.gateway.lookup(key)
    return answer !== undefined && answer.source !== 'default'
  }

  /** First output; undefined where the document cannot be scored. */
  async #scoreOf(document: object): Promise<number | undefined> {
    const score = await this.#options.reference.score(Buffer.from(JSON.stringify(document)))
    return score.state === 'scored' ? Object.values(score.outputs)[0] : undefined
  }
}

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(b))
}
