import { type ErrorCode, FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { readShadow, type ShadowPointer } from '@freshet/model/bundle/shadow-pointer.ts'
import type { PromotedModel } from '@freshet/model/run/promoted-model.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { ThrottledLog } from '@freshet/stage/throttled-log.ts'
import { type Deadline, RESERVE_MS } from '../server/deadline.ts'
import { inTime } from '../server/waits.ts'
import type { ModelPage } from './model-page-schema.ts'

/** How old what is known of the shadow may be. */
const SHADOW_MS = 10_000
/** A read that takes longer is given up, and the next one tries again. */
const READ_MS = 5_000

/** What is known of the model that serves, and of its shadow, which only the scorer runs. */
export class ModelPages {
  readonly #models: Pick<PromotedModel, 'current' | 'fault'>
  readonly #store: ObjectStore
  readonly #failures: ThrottledLog
  #shadow: ShadowPointer | null = null
  #readAtMs = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | null = null

  constructor(
    models: Pick<PromotedModel, 'current' | 'fault'>,
    store: ObjectStore,
    { log, clock }: { readonly log: Log; readonly clock: Clock },
  ) {
    this.#models = models
    this.#store = store
    this.#failures = new ThrottledLog(log, clock)
  }

  /** @returns null when none is promoted. @throws what keeps the promoted one from serving, in words for callers */
  async page(deadline: Deadline): Promise<ModelPage | null> {
    await this.#refreshShadow(deadline)
    const { current, fault } = this.#models
    if (current === null) {
      if (fault === null || fault.code === 'MODEL_MISSING') return null
      throw new FreshetError(codeOf(fault), 'a model is promoted or may be, and cannot serve here', {
        cause: fault,
      })
    }
    const { name, version, generation } = current.identity
    return {
      model: current.label,
      name,
      version,
      sha256: current.spec.sha256,
      generation,
      promoted_at: new Date(current.promotedAtMs).toISOString(),
      inputs: current.spec.inputs,
      outputs: current.spec.outputs.map((output) => ({ ...output })),
      shadow: this.#shadow && shadowOf(this.#shadow),
      degraded: fault !== null,
      ...(fault !== null && { reason: fault.code }),
    }
  }

  /** Ends within the deadline; what could not be read stays as it was. */
  async #refreshShadow({ endsAtMs }: Deadline): Promise<void> {
    if (performance.now() - this.#readAtMs < SHADOW_MS) return
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null
    })
    await inTime(this.#reading, endsAtMs - RESERVE_MS)
  }

  async #read(): Promise<void> {
    try {
      this.#shadow = await readShadow(this.#store, AbortSignal.timeout(READ_MS))
      this.#readAtMs = performance.now()
    } catch (error) {
      // The last one known stands. That the store is away is told by who follows the promoted model.
      if (!toFreshetError(error).retryable)
        this.#failures.error('the shadow of the model is not known', error)
    }
  }
}

/** A read of the store that was given up is not the caller's deadline. */
function codeOf({ code }: FreshetError): ErrorCode {
  return code === 'DEADLINE' ? 'S3_UNREACHABLE' : code
}

function shadowOf({ name, modelVersion: version, sha256, sinceMs }: ShadowPointer): ModelPage['shadow'] {
  const since = new Date(sinceMs).toISOString()
  return { model: modelLabel({ name, version }), name, version, sha256, since }
}
