import { type ErrorCode, FreshetError, isFreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { PoolOptions } from '@freshet/model/inference-pool.ts'
import { readPointer } from '@freshet/model/model-store.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { ATTRIBUTES } from '@freshet/telemetry/attributes.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { loadModel, type ModelInUse, SharedModel } from './loaded-model.ts'

export interface PromotedModelOptions {
  readonly store: ObjectStore
  readonly pool: PoolOptions
  /** How often the pointer is read. */
  readonly intervalMs: number
  readonly clock: Clock
  readonly telemetry: Pick<Telemetry, 'log' | 'metrics'>
  /** Told `name@version` each time another model comes into use. */
  readonly onModel: (label: string) => void
}

/** What is wrong with a bundle and not with its way here: another promotion mends it, a retry does not. */
const REFUSALS: readonly ErrorCode[] = ['MODEL_INVALID', 'MODEL_HASH', 'MODEL_GOLDEN']
const COMPLAINT_INTERVAL_MS = 60_000

/**
 * The model that is promoted now. Its pointer is read again and again; a new bundle is loaded and proved beside the old
 * one, which serves on meanwhile, and keeps serving when the new one is refused or the store is away.
 */
export class PromotedModel implements AsyncDisposable {
  readonly #options: PromotedModelOptions
  readonly #closing = new AbortController()
  #current: SharedModel | null = null
  #refusedGeneration: number | null = null
  #complaint = { message: '', atMs: Number.NEGATIVE_INFINITY }
  #watching: Promise<void> = Promise.resolve()
  #retiring: Promise<unknown> = Promise.resolve()

  /**
   * Waits until a model can be used; null when `signal` aborts before.
   * @throws what makes waiting useless: S3_UNAUTHORIZED, S3_REFUSED, BUCKET_MISSING
   */
  static async open(options: PromotedModelOptions, signal: AbortSignal): Promise<PromotedModel | null> {
    const promoted = new PromotedModel(options)
    const backOff = { firstMs: Math.min(500, options.intervalMs), maxMs: options.intervalMs }
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await promoted.#look(signal)
        if (promoted.#current !== null) return promoted.#watch()
      } catch (error) {
        if (signal.aborted) break
        if (!toFreshetError(error).retryable) throw error
        promoted.#complain('waiting for a model', error)
      }
      await options.clock.sleep(delayMs(backOff, attempt, Math.random), signal)
    }
    return null
  }

  private constructor(options: PromotedModelOptions) {
    this.#options = options
  }

  /** The model of now, for one batch: a swap waits for nobody, and nobody loses what he uses. */
  use(): ModelInUse {
    if (this.#current === null) throw new FreshetError('BUG', 'no model is open')
    return this.#current.use()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#watching
    await Promise.all([this.#retiring, this.#current?.retire()])
  }

  #watch(): this {
    this.#watching = this.#lookAgainAndAgain(this.#closing.signal)
    return this
  }

  async #lookAgainAndAgain(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs } = this.#options
    for (;;) {
      await clock.sleep(intervalMs, signal)
      if (signal.aborted) return
      await this.#look(signal).catch((error: unknown) => {
        if (!signal.aborted)
          this.#complain('the promoted model cannot be read; the last one serves on', error)
      })
    }
  }

  /** Loads what the pointer names, unless it is in use or was refused. */
  async #look(signal: AbortSignal): Promise<void> {
    const { store, pool } = this.#options
    const pointer = await readPointer(store, signal)
    if (pointer === null) throw new FreshetError('MODEL_MISSING', 'no model is promoted')
    const { generation } = pointer
    if (generation === this.#current?.model.identity.generation || generation === this.#refusedGeneration)
      return
    try {
      this.#replace(new SharedModel(await loadModel(store, pool, signal)))
    } catch (error) {
      if (!isFreshetError(error) || !REFUSALS.includes(error.code)) throw error
      this.#refusedGeneration = generation
      this.#options.telemetry.metrics.add('freshet.scorer.models_refused')
      this.#complain(`${pointer.name}@${pointer.modelVersion} is refused`, error)
    }
  }

  #replace(next: SharedModel): void {
    const { telemetry, onModel } = this.#options
    const { label, identity } = next.model
    const last = this.#current
    this.#current = next
    this.#retiring = Promise.all([this.#retiring, last?.retire()])
    telemetry.log.info(`scoring with ${label}`, {
      [ATTRIBUTES.modelGeneration]: identity.generation,
    })
    onModel(label)
  }

  /** The same complaint is made once a minute. */
  #complain(what: string, error: unknown): void {
    const { clock, telemetry } = this.#options
    const message = `${what}: ${toFreshetError(error).message}`
    const nowMs = clock.nowMs()
    const { message: last, atMs } = this.#complaint
    if (message === last && nowMs - atMs < COMPLAINT_INTERVAL_MS) return
    this.#complaint = { message, atMs: nowMs }
    telemetry.log.error(what, error)
  }
}
