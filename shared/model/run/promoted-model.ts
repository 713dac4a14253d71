import { type ErrorCode, FreshetError, isFreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { type ModelIdentity, modelLabel } from '@freshet/records/score-batch.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import type { ModelPointer } from '../bundle/model-pointer.ts'
import { readPointer } from '../bundle/model-store.ts'
import type { PoolOptions } from './inference-pool.ts'
import { loadModel, type ModelInUse, type ServingModel, SharedModel } from './loaded-model.ts'

export interface PromotedModelOptions {
  readonly store: ObjectStore
  readonly pool: PoolOptions
  /** How often the pointer is read. */
  readonly intervalMs: number
  readonly clock: Clock
  readonly log: Log
  /** Told `name@version` each time another model comes into use. */
  readonly onModel: (label: string) => void
  /** Called once for each promotion that will never serve. */
  readonly onRefused: () => void
}

/** What is wrong with a bundle and not with its way here: another promotion mends it, a retry does not. */
const REFUSALS: readonly ErrorCode[] = [
  'MODEL_INVALID',
  'MODEL_HASH',
  'MODEL_GOLDEN',
  'MODEL_GENERATION_BEHIND',
]
const COMPLAINT_INTERVAL_MS = 60_000

/**
 * The model that is promoted now. Its pointer is read again and again; a new bundle is loaded and proved beside the old
 * one, which serves on meanwhile, and keeps serving when the new one is refused or the store is away.
 */
export class PromotedModel implements AsyncDisposable {
  readonly #options: PromotedModelOptions
  readonly #closing = new AbortController()
  readonly #complaints: Throttle
  #current: SharedModel | null = null
  #fault: FreshetError | null = null
  /** A promotion that will never serve, and why: it is not loaded again. */
  #refused: { readonly generation: number; readonly fault: FreshetError } | null = null
  #following: Promise<void> = Promise.resolve()
  #retiring: Promise<unknown> = Promise.resolve()

  /** Starts without a model, and has one as soon as it can. */
  static follow(options: PromotedModelOptions): PromotedModel {
    const promoted = new PromotedModel(options)
    promoted.#following = promoted.#follow(promoted.#closing.signal)
    return promoted
  }

  /**
   * Waits until a model can be used; null when `signal` aborts before.
   * @throws what makes waiting useless: S3_UNAUTHORIZED, S3_REFUSED, BUCKET_MISSING
   */
  static async open(options: PromotedModelOptions, signal: AbortSignal): Promise<PromotedModel | null> {
    const promoted = new PromotedModel(options)
    const backOff = { firstMs: Math.min(500, options.intervalMs), maxMs: options.intervalMs }
    for (let attempt = 0; !signal.aborted; attempt++) {
      await promoted.#look(signal)
      if (promoted.#current !== null) {
        promoted.#following = promoted.#follow(promoted.#closing.signal)
        return promoted
      }
      const { fault } = promoted
      if (fault !== null && !fault.retryable && fault !== promoted.#refused?.fault) throw fault
      await options.clock.sleep(delayMs(backOff, attempt, Math.random), signal)
    }
    return null
  }

  private constructor(options: PromotedModelOptions) {
    this.#options = options
    this.#complaints = new Throttle(COMPLAINT_INTERVAL_MS, options.clock)
  }

  /** The model of now, to look at; null before there is one. */
  get current(): ServingModel | null {
    return this.#current?.model ?? null
  }

  /** Why the promoted model does not serve, or is not known; null when all is well or nothing was looked at yet. */
  get fault(): FreshetError | null {
    return this.#fault
  }

  /**
   * The model of now, to score with: a swap waits for nobody, and nobody loses what he uses.
   * @throws MODEL_MISSING before there is one
   */
  use(): ModelInUse {
    if (this.#current === null) throw new FreshetError('MODEL_MISSING', 'no model is in use')
    return this.#current.use()
  }

  /** Ends when the last user is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#following
    const last = this.#current
    this.#current = null
    await Promise.all([this.#retiring, last?.retire()])
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look(signal)
      await this.#options.clock.sleep(this.#options.intervalMs, signal)
    }
  }

  /** Takes what the pointer names into use, unless it is. Never throws: what is in the way becomes the fault. */
  async #look(signal: AbortSignal): Promise<void> {
    try {
      const pointer = await readPointer(this.#options.store, signal)
      if (pointer === null) throw new FreshetError('MODEL_MISSING', 'no model is promoted')
      this.#fault = isNamedBy(pointer, this.current?.identity) ? null : await this.#take(pointer, signal)
    } catch (error) {
      if (signal.aborted) return
      this.#fault = toFreshetError(error)
      this.#complain(this.#fault)
    }
  }

  /** @returns why the promotion is refused; null when it serves. */
  async #take(pointer: ModelPointer, signal: AbortSignal): Promise<FreshetError | null> {
    const { store, pool, log, onRefused } = this.#options
    const { generation, name, modelVersion: version } = pointer
    if (generation === this.#refused?.generation) return this.#refused.fault
    try {
      refuseLower(pointer, this.current?.identity)
      const model = await loadModel(store, pointer, pool, signal)
      this.#replace({ ...model, identity: { name, version, generation } })
      return null
    } catch (error) {
      if (!isFreshetError(error) || !REFUSALS.includes(error.code)) throw error
      this.#refused = { generation, fault: error }
      onRefused()
      log.error(`${modelLabel({ name, version })} is refused`, error, {
        [ATTRIBUTES.modelGeneration]: generation,
      })
      return error
    }
  }

  #replace(model: ServingModel): void {
    const { log, onModel } = this.#options
    const { label, identity, pool } = model
    const last = this.#current
    this.#current = new SharedModel(model)
    onModel(label)
    log.info(`scoring with ${label}`, {
      [ATTRIBUTES.model]: label,
      [ATTRIBUTES.modelGeneration]: identity.generation,
      [ATTRIBUTES.modelThreads]: pool.threads,
      [ATTRIBUTES.modelRunRows]: pool.runRows,
    })
    const gone = last?.retire().catch((error: unknown) => log.error('a retired model did not end', error))
    this.#retiring = Promise.all([this.#retiring, gone])
  }

  /** The same complaint is made once a minute. */
  #complain(fault: FreshetError): void {
    const what =
      this.#current === null
        ? 'waiting for a model'
        : 'the promoted model cannot be read; the last one serves on'
    if (this.#complaints.pass(`${what}: ${fault.code}`) !== null) this.#options.log.error(what, fault)
  }
}

function isNamedBy(
  { generation, name, modelVersion }: ModelPointer,
  used: ModelIdentity | undefined,
): boolean {
  return generation === used?.generation && name === used.name && modelVersion === used.version
}

/**
 * Rows of a lower generation than stores have are thrown away by them, so a model that wrote them would score for
 * nothing, and nobody would hear of it.
 * @throws MODEL_GENERATION_BEHIND
 */
function refuseLower({ generation }: ModelPointer, used: ModelIdentity | undefined): void {
  if (used === undefined || generation > used.generation) return
  const inUse = `generation ${used.generation}, of ${modelLabel(used)}, is in use`
  throw new FreshetError('MODEL_GENERATION_BEHIND', `the pointer has generation ${generation}, but ${inUse}`)
}
