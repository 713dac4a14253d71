import type { ServingModel } from './loaded-model.ts'

/** A model in use until its user disposes of it. */
export type ModelInUse = ServingModel & Disposable

/** Counts the users of a model, so that it goes when the last one is done and nobody meets a closed pool. */
export class SharedModel {
  readonly model: ServingModel
  readonly #unused = Promise.withResolvers<void>()
  #users = 0
  #isRetired = false

  constructor(model: ServingModel) {
    this.model = model
  }

  use(): ModelInUse {
    this.#users++
    return {
      ...this.model,
      [Symbol.dispose]: () => {
        this.#users--
        this.#settle()
      },
    }
  }

  /** To be called once no more users will come; resolves when the last is done and the pool is closed. */
  async retire(): Promise<void> {
    this.#isRetired = true
    this.#settle()
    await this.#unused.promise
    await this.model.pool[Symbol.asyncDispose]()
  }

  #settle(): void {
    if (this.#isRetired && this.#users === 0) this.#unused.resolve()
  }
}
