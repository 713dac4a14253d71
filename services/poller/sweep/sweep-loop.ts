import { scopeOf } from '@freshet/capture/scope.ts'
import { toFreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { inSpan, traceContextOf } from '@freshet/telemetry/spans.ts'
import type { Span } from '@opentelemetry/api'
import type { TrackedShards } from '../sharing/tracked-shards.ts'
import { type Effect, type Event, type Limits, newSweep, type Sweep, step } from './sweep.ts'
import { SweepEffects, type SweepWorld, type Tally } from './sweep-effects.ts'
import { dueTargets, indicesKept } from './target.ts'

/**
 * Finds deletes for as long as the poller runs: performs what sweep.ts decides, and feeds the outcomes back. Whatever
 * fails, capture goes on; a sweep that failed is told of once and tried again.
 */
export class SweepLoop {
  readonly #world: SweepWorld
  readonly #shards: TrackedShards
  readonly #limits: Limits
  #state: Sweep
  #effect: Effect
  #isTroubled = false
  #kept: ReadonlySet<string> = new Set()

  constructor(world: SweepWorld, shards: TrackedShards) {
    this.#world = world
    this.#shards = shards
    this.#limits = limitsOf(world)
    const [state, effect] = newSweep()
    this.#state = state
    this.#effect = effect
  }

  /** Works until `signal` of the world aborts. Never rejects. */
  async run(): Promise<void> {
    const { clock, signal, telemetry } = this.#world
    while (!signal.aborted) {
      if (this.#effect.kind === 'rest') {
        await clock.sleep(this.#effect.forMs, signal)
        const [shards, nowMs] = [this.#shards.shards(), clock.nowMs()]
        telemetry.metrics.set('freshet.sweep.due', dueTargets(shards, nowMs, this.#limits).length)
        this.#tellKept(indicesKept(shards, this.#limits))
        this.#feed({ kind: 'looked', nowMs, shards })
        continue
      }
      await inSpan(telemetry.tracer, SPAN, (span) => this.#sweep(span)).catch((error: unknown) =>
        this.#tellFailure(error),
      )
    }
  }

  #feed(event: Event): void {
    const [state, effect] = step(this.#state, event, this.#limits)
    this.#state = state
    this.#effect = effect
  }

  /** One sweep, to its next rest. */
  async #sweep(span: Span): Promise<void> {
    const { clock, telemetry } = this.#world
    const startedAtMs = clock.nowMs()
    const effects = new SweepEffects(this.#world, this.#shards, traceContextOf(span))
    try {
      while (this.#effect.kind !== 'rest') this.#feed(await effects.perform(this.#effect))
    } catch (error) {
      this.#feed({ kind: 'failed', nowMs: clock.nowMs() })
      throw error
    } finally {
      span.setAttribute(ATTRIBUTES.rows, effects.tally.heldRows)
      span.setAttribute(ATTRIBUTES.deadRows, effects.tally.tombstones)
    }
    const seconds = (clock.nowMs() - startedAtMs) / 1_000
    telemetry.metrics.set('freshet.sweep.duration', seconds)
    this.#tellEnd(effects.tally, seconds)
  }

  #tellEnd({ livingKeys, heldRows, tombstones }: Tally, seconds: number): void {
    const { log, metrics } = this.#world.telemetry
    const isFinal = this.#state.setbacks === 0
    metrics.add('freshet.sweep.sweeps', 1, isFinal ? 'final' : 'partial')
    this.#isTroubled = false
    const found = `${tombstones} deletes found among ${heldRows} scores, ${livingKeys} documents live`
    const more = isFinal ? '' : '; not all was captured, scored and stored in time, so it is repeated'
    log.info(`sweep of ${seconds.toFixed(1)} s: ${found}${more}`)
  }

  #tellKept(indices: ReadonlySet<string>): void {
    for (const index of indices)
      if (!this.#kept.has(index))
        this.#world.telemetry.log.warn(
          `scores of documents that ${index} had stay: an index that was met before it may have the same keys; \`freshet verify --repair\` deletes those that live nowhere`,
        )
    this.#kept = indices
  }

  #tellFailure(error: unknown): void {
    const { signal, telemetry } = this.#world
    if (signal.aborted) return
    telemetry.metrics.add('freshet.sweep.sweeps', 1, 'failed')
    const { code, message } = toFreshetError(error)
    if (!this.#isTroubled)
      telemetry.log.warn(`the sweep for deletes is tried again: ${message}`, { [ATTRIBUTES.errorType]: code })
    this.#isTroubled = true
  }
}

const SPAN = { name: 'sweep', attributes: { [ATTRIBUTES.stage]: 'sweep' } }

function limitsOf({ settings }: SweepWorld): Limits {
  const { sweep, snapshot, elasticsearch } = settings
  return {
    pauseMs: sweep.pauseSeconds * 1_000,
    maxAgeMs: sweep.maxAgeSeconds * 1_000,
    maxTableBytes: sweep.maxMemoryBytes,
    isKeyInDocument: elasticsearch.key.startsWith('field:'),
    isKeyOfOneIndex: elasticsearch.key === 'index/id',
    scope: scopeOf(elasticsearch).hash,
    settleMs: 60_000,
    // What is scored now is stored with the next delta, or the one after.
    storeMs: 2_000 * snapshot.intervalSeconds + 30_000,
  }
}
