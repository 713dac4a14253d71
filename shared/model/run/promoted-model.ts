import { type ErrorCode, FreshetError, isFreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { type ModelIdentity, modelLabel } from '@freshet/records/score-batch.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import { timeLimit } from '@freshet/stage/time-limit.ts'
import type { ModelBundle } from '../bundle/bundle.ts'
import { loadBundle } from '../bundle/bundle-store.ts'
import type { ModelPointer, Promotion } from '../bundle/model-pointer.ts'
import { readPointer } from '../bundle/pointer-store.ts'
import type { PoolOptions } from './inference-pool.ts'
import { type ServingModel, startModel } from './loaded-model.ts'
import { type ModelInUse, SharedModel } from './shared-model.ts'

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
  /** Told at each look what someone has to mend so that the promoted model serves, or null. */
  readonly onTrouble: (fault: FreshetError | null) => void
  /** Makes a bundle a model that can score; a test may take another. */
  readonly start?: typeof startModel
}

/** What is wrong with a bundle and not with its way here: another promotion mends it, a retry does not. */
const REFUSALS: readonly ErrorCode[] = [
  'MODEL_INVALID',
  'MODEL_HASH',
  'MODEL_GOLDEN',
  'MODEL_GENERATION_BEHIND',
]
/** No time mends these. */
const USELESS: readonly ErrorCode[] = ['S3_UNAUTHORIZED', 'S3_REFUSED', 'BUCKET_MISSING']
const COMPLAINT_INTERVAL_MS = 60_000
/** An answer of S3 that takes longer is not waited for, but asked for again: one that hangs must not hold up a swap. */
const POINTER_WITHIN_MS = 1_500
/** The same for a whole bundle. A large one gets more with each try. */
const BUNDLE_WITHIN_MS = { first: 2_000, max: 120_000 }
const LOOK_AGAIN_MS = 100

/**
 * The model that is promoted now. Its pointer is read again and again; a new bundle is loaded and proved beside the old
 * one, which serves on meanwhile, and keeps serving when the new one is refused or the store is away. A process that
 * starts while the promoted bundle is refused, or gone, serves what was promoted before, under the generation that it had
 * then: its rows lose against those of the promotion, and are scored again once that is mended.
 *
 * With the pointer read every 5 s, a promotion serves within 10 s, of which loading the model may take two, also when an
 * answer of the store hangs.
 */
export class PromotedModel implements AsyncDisposable {
  readonly #options: PromotedModelOptions
  readonly #closing = new AbortController()
  readonly #complaints: Throttle
  #current: SharedModel | null = null
  #fault: FreshetError | null = null
  /** A promotion that will never serve, and why: it is not loaded again. */
  #refused: { readonly generation: number; readonly fault: FreshetError } | null = null
  #bundleWithinMs = BUNDLE_WITHIN_MS.first
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
      if (fault !== null && USELESS.includes(fault.code)) throw fault
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
    const { clock, intervalMs } = this.#options
    while (!signal.aborted) {
      const beganAtMs = clock.nowMs()
      await this.#look(signal)
      const isLate = this.#fault?.code === 'DEADLINE'
      const pauseMs = isLate ? LOOK_AGAIN_MS : Math.max(0, intervalMs - (clock.nowMs() - beganAtMs))
      await clock.sleep(pauseMs, signal)
    }
  }

  /** Takes what the pointer names into use, unless it is. Never throws: what is in the way becomes the fault. */
  async #look(signal: AbortSignal): Promise<void> {
    let pointer: ModelPointer | null = null
    try {
      pointer = await this.#readPointer(signal)
      if (pointer === null) throw new FreshetError('MODEL_MISSING', 'no model is promoted')
      this.#fault = isNamedBy(pointer, this.current?.identity) ? null : await this.#take(pointer, signal)
    } catch (error) {
      if (signal.aborted) return
      this.#fault = toFreshetError(error)
      this.#complain(this.#fault)
    }
    const isDamaged = pointer !== null && this.#fault !== null && isOfBundle(this.#fault)
    if (isDamaged && this.#current === null) await this.#fallBack(pointer!, signal)
    this.#tellTrouble(isDamaged)
  }

  /** While S3 is away the last model serves on; and a model that nobody has promoted yet is no trouble. */
  #tellTrouble(isDamaged: boolean): void {
    const { code } = this.#fault ?? {}
    const isTrouble = isDamaged || (this.#current === null && code !== 'MODEL_MISSING')
    this.#options.onTrouble(isTrouble ? this.#fault : null)
  }

  async #readPointer(signal: AbortSignal): Promise<ModelPointer | null> {
    const { store, clock } = this.#options
    using limit = timeLimit(POINTER_WITHIN_MS, { clock, signal })
    return await readPointer(store, limit.signal)
  }

  async #load(promotion: Promotion, signal: AbortSignal): Promise<ServingModel> {
    const { pool, start = startModel } = this.#options
    const { name, modelVersion: version, generation, promotedAtMs } = promotion
    const model = await start(await this.#readBundle(promotion, signal), pool, signal)
    return { ...model, identity: { name, version, generation }, promotedAtMs }
  }

  async #readBundle(promotion: Promotion, signal: AbortSignal): Promise<ModelBundle> {
    const { store, clock } = this.#options
    using limit = timeLimit(this.#bundleWithinMs, { clock, signal })
    try {
      const bundle = await loadBundle(store, promotion, limit.signal)
      this.#bundleWithinMs = BUNDLE_WITHIN_MS.first
      return bundle
    } catch (error) {
      if (isFreshetError(error, 'DEADLINE'))
        this.#bundleWithinMs = Math.min(2 * this.#bundleWithinMs, BUNDLE_WITHIN_MS.max)
      throw error
    }
  }

  /** The newest of the promotions before that can serve. */
  async #fallBack({ previous }: ModelPointer, signal: AbortSignal): Promise<void> {
    for (const before of previous)
      try {
        const model = await this.#load(before, signal)
        this.#options.log.warn(`${model.label}, which was promoted before, scores until that is mended`, {
          [ATTRIBUTES.modelGeneration]: before.generation,
        })
        return this.#replace(model)
      } catch (error) {
        if (signal.aborted || !isOfBundle(toFreshetError(error))) return // at the next look
      }
  }

  /** @returns why the promotion is refused; null when it serves. */
  async #take(pointer: ModelPointer, signal: AbortSignal): Promise<FreshetError | null> {
    const { log, onRefused } = this.#options
    const { generation, name, modelVersion: version } = pointer
    if (generation === this.#refused?.generation) return this.#refused.fault
    try {
      refuseLower(pointer, this.current?.identity)
      this.#replace(await this.#load(pointer, signal))
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

/** The bundle is not what it was, or is gone, and not only out of reach. */
function isOfBundle({ code }: FreshetError): boolean {
  return REFUSALS.includes(code) || code === 'MODEL_MISSING'
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
