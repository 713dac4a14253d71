import type { JudgedIndex } from '@freshet/adapters/elasticsearch/judge-indices.ts'
import { toFreshetError } from '@freshet/errors/errors.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { SourceNews } from '../capture/source-news.ts'

/** How soon a new index, a closed one or an opened one is noticed. */
const LOOK_EVERY_MS = 2_000

/** Which indices there are, and which of them wait or are left out; each of the latter is told of once. */
export class IndexWatch {
  readonly #judge: () => Promise<readonly JudgedIndex[]>
  readonly #metrics: Telemetry['metrics']
  readonly #news: SourceNews
  readonly #clock: Clock
  #indices: readonly JudgedIndex[] = []
  #nextLookAtMs = 0

  constructor(
    judge: () => Promise<readonly JudgedIndex[]>,
    { log, metrics }: Pick<Telemetry, 'log' | 'metrics'>,
    clock: Clock,
  ) {
    this.#judge = judge
    this.#metrics = metrics
    this.#news = new SourceNews(log, 'indices')
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
      this.#news.cannotLook(error)
      throw toFreshetError(error)
    })
    this.#news.canLook()
    this.#nextLookAtMs = this.#clock.nowMs() + LOOK_EVERY_MS
    this.#tell()
  }

  #tell(): void {
    const [refused, closed] = [this.#reasons('refused'), this.#reasons('closed')]
    const reasons = [...refused, ...closed, ...this.#reasons('blocked')]
    this.#news.tell({ reasons, isEmpty: this.#indices.length === 0 })
    this.#metrics.set('freshet.poller.refused', refused.length)
    this.#metrics.set('freshet.poller.closed', closed.length)
  }

  #reasons(verdict: JudgedIndex['verdict']): readonly string[] {
    return this.#indices.filter((index) => index.verdict === verdict).map(({ reason }) => reason!)
  }
}
