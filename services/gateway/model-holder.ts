import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { loadPromotedModel, readPointer } from '@freshet/model/model-store.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { ServingModel } from './serving-model.ts'

export interface ModelHolderOptions {
  readonly intervalMs: number
  readonly threads: number
  readonly clock: Clock
  readonly log: Log
  /** `name@version` of a model that serves from now on. */
  readonly onModel: (label: string) => void
}

/** Keeps the promoted model serving. Whatever happens to S3 or to a newer model, the one that serves goes on. */
export class ModelHolder implements AsyncDisposable {
  readonly #store: ObjectStore
  readonly #options: ModelHolderOptions
  #serving: ServingModel | undefined
  #fault: FreshetError | undefined
  /** A generation that will never serve, and why: it is not loaded again. */
  #refused: { readonly generation: number; readonly fault: FreshetError } | undefined

  constructor(store: ObjectStore, options: ModelHolderOptions) {
    this.#store = store
    this.#options = options
  }

  get serving(): ServingModel | undefined {
    return this.#serving
  }

  /** Why the promoted model does not serve, or is not known. */
  get fault(): FreshetError | undefined {
    return this.#fault
  }

  /** Follows the pointer until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#follow(signal)
      await this.#options.clock.sleep(this.#options.intervalMs, signal)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#serving?.retire()
    this.#serving = undefined
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let generation: number | undefined
    try {
      const pointer = await readPointer(this.#store, signal)
      if (pointer === null) throw new FreshetError('MODEL_MISSING', 'no model was ever promoted')
      generation = pointer.generation
      if (generation === this.#refused?.generation) throw this.#refused.fault
      if (generation !== this.#serving?.identity.generation) await this.#serve(signal)
      this.#fault = undefined
    } catch (error) {
      if (signal.aborted) return
      const fault = toFreshetError(error)
      if (!fault.retryable && generation !== undefined) this.#refused = { generation, fault }
      if (this.#fault?.code !== fault.code)
        this.#options.log.error('the promoted model does not serve', fault)
      this.#fault = fault
    }
  }

  async #serve(signal: AbortSignal): Promise<void> {
    const { threads, log, onModel } = this.#options
    const next = await ServingModel.start(await loadPromotedModel(this.#store, signal), { threads, signal })
    const old = this.#serving
    this.#serving = next
    onModel(next.label)
    log.info('a model serves', { 'freshet.model': next.label, generation: next.identity.generation })
    old?.retire().catch((error: unknown) => log.error('a retired model did not end', error))
  }
}
