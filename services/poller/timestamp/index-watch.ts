import type { JudgedIndex } from '@freshet/adapters/elasticsearch/judge-indices.ts'
import { type FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'

/** How soon a new index, a closed one or an opened one is noticed. */
const LOOK_EVERY_MS = 2_000

/** Which indices there are, and which of them wait or are left out; each of the latter is told of once. */
export class IndexWatch {
  readonly #judge: () => Promise<readonly JudgedIndex[]>
  readonly #telemetry: Telemetry
  readonly #clock: Clock
  #indices: readonly JudgedIndex[] = []
  #told: ReadonlySet<string> = new Set()
  #isBlind = false
  #isEmpty = false
  #nextLookAtMs = 0

  constructor(judge: () => Promise<readonly JudgedIndex[]>, telemetry: Telemetry, clock: Clock) {
    this.#judge = judge
    this.#telemetry = telemetry
    this.#clock = clock
  }

  /** Those of the last look that can be captured. */
  capturable(): readonly JudgedIndex[] {
    return this.#indices.filter(({ verdict }) => verdict === 'capturable')
  }

  /** Why, of each index that cannot be captured. */
  refusals(): readonly string[] {
    return this.#reasons('refused')
  }

  /** @throws as `judge`; a look that fails leaves what is known */
  async look(): Promise<void> {
    if (this.#clock.nowMs() < this.#nextLookAtMs) return
    this.#indices = await this.#judge().catch((error: unknown) => {
      throw this.#cannotLook(error)
    })
    if (this.#isBlind) this.#telemetry.log.info('Elasticsearch answers again')
    this.#isBlind = false
    this.#nextLookAtMs = this.#clock.nowMs() + LOOK_EVERY_MS
    this.#tell()
  }

  #cannotLook(error: unknown): FreshetError {
    const known = toFreshetError(error)
    if (!this.#isBlind) this.#telemetry.log.warn(`cannot look at the indices, trying again: ${known.message}`)
    this.#isBlind = true
    return known
  }

  #tell(): void {
    const { log, metrics } = this.#telemetry
    const [refused, closed] = [this.#reasons('refused'), this.#reasons('closed')]
    const reasons = new Set([...refused, ...closed, ...this.#reasons('blocked')])
    for (const reason of reasons) if (!this.#told.has(reason)) log.warn(`not captured: ${reason}`)
    for (const reason of this.#told) if (!reasons.has(reason)) log.info(`no longer so: ${reason}`)
    this.#told = reasons
    const isEmpty = this.#indices.length === 0
    if (isEmpty && !this.#isEmpty) log.warn('no index is there to capture; one is taken up when it appears')
    this.#isEmpty = isEmpty
    metrics.set('freshet.poller.refused', refused.length)
    metrics.set('freshet.poller.closed', closed.length)
  }

  #reasons(verdict: JudgedIndex['verdict']): readonly string[] {
    return this.#indices.filter((index) => index.verdict === verdict).map(({ reason }) => reason!)
  }
}
