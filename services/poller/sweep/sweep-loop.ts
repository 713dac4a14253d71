import { scopeOf } from '@freshet/capture/scope.ts'
import { toFreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { listed } from '@freshet/stage/listed.ts'
import { inSpan, traceContextOf } from '@freshet/telemetry/spans.ts'
import type { Span } from '@opentelemetry/api'
import type { TrackedShard } from '../sharing/tracked-shard.ts'
import type { TrackedShards } from '../sharing/tracked-shards.ts'
import { type Captured, indicesKept } from './dead-epochs.ts'
import { newSweep, step } from './sweep.ts'
import { type Outcome, SweepEffects, type SweepWorld, type Tally } from './sweep-effects.ts'
import type { Effect, Event, Limits, Sweep, Why } from './sweep-state.ts'
import { dueTargets, type Target } from './target.ts'

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
  /** Of all pollers, as the last sweep that asked for them has read them. */
  #cursors: Captured['cursors']

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
        telemetry.metrics.set('freshet.sweep.due', dueTargets({ shards }, nowMs, this.#limits).length)
        telemetry.metrics.set('freshet.sweep.swept_at', lastSweptAtMs(shards) / 1_000)
        this.#tellKept(indicesKept({ shards, cursors: this.#cursors }, this.#limits))
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
      this.#cursors = effects.cursors ?? this.#cursors
      span.setAttribute(ATTRIBUTES.rows, effects.tally.heldRows)
      span.setAttribute(ATTRIBUTES.deadRows, effects.tally.tombstones)
    }
    if (effects.outcome === undefined) return // nothing of what was due could be done
    const seconds = (clock.nowMs() - startedAtMs) / 1_000
    telemetry.metrics.set('freshet.sweep.duration', seconds)
    this.#tellEnd(effects.tally, effects.outcome, seconds)
  }

  #tellEnd(tally: Tally, outcome: Outcome, seconds: number): void {
    const { log, metrics } = this.#world.telemetry
    metrics.add('freshet.sweep.sweeps', 1, outcome.left.length === 0 ? 'final' : 'partial')
    this.#isTroubled = false
    log.info(`sweep of ${seconds.toFixed(1)} s: ${describe(tally, outcome)}`)
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

function lastSweptAtMs(shards: readonly TrackedShard[]): number {
  return Math.max(0, ...shards.map(({ cursor }) => cursor.sweep?.sweptAtMs ?? 0))
}

const WHY: Readonly<Record<Why, string>> = {
  moved: 'another primary or poller has taken them over meanwhile',
  unsettled: 'not everything was captured, or beyond a failover, in time',
  notStored: 'not everything was scored and stored in time',
  tied: 'a delete waits for a later checkpoint',
}

function describe({ tombstones, heldRows, livingKeys }: Tally, { left, waiting }: Outcome): string {
  const again = [...Map.groupBy(left, ({ why }) => why)].map(
    ([why, shards]) => `again for ${namesOf(shards)}: ${WHY[why]}`,
  )
  const stays =
    waiting.length === 0
      ? []
      : [
          `the last document written to ${namesOf(waiting)} has left the filter by itself: its score stays until another is written`,
        ]
  const found = `${tombstones} deletes found among ${heldRows} scores, ${livingKeys} documents live`
  return [found, ...again, ...stays].join('; ')
}

function namesOf(shards: readonly Pick<Target, 'index' | 'shard'>[]): string {
  return listed(shards.map(({ index, shard }) => `${index}/${shard}`))
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
