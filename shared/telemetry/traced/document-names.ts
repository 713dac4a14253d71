import { createHmac, hash } from 'node:crypto'
import { encodeRank, type Revision } from '@freshet/records/revision.ts'

/** The steps of a document's way that leave a span when it is traced. */
export type Step = 'capture' | 'score' | 'cache' | 'snapshot' | 'answer'

/** How documents are called in telemetry: their keys as they are shown, and the ids of their traces and spans. */
export class DocumentNames {
  readonly pipeline: string
  readonly #salt: string | undefined

  /** @param salt with it, a key is shown as a hash that only those can guess who know the salt. */
  constructor(pipeline: string, salt: string | undefined) {
    this.pipeline = pipeline
    this.#salt = salt
  }

  /** The key as it may stand in spans and logs: the same in every service. */
  shown(key: string): string {
    return this.#salt === undefined ? key : `hashed:${this.#hashed(key).slice(0, 32)}`
  }

  /** Of one revision of one document: the same in every service, so that none needs to hear it from another. */
  traceIdOf(key: string, revision: Revision): string {
    const name = `${this.pipeline}\0${encodeRank({ revision, modelGeneration: 0 })}\0${key}`
    return (this.#salt === undefined ? hash('sha256', name) : this.#hashed(name)).slice(0, 32)
  }

  #hashed(text: string): string {
    return createHmac('sha256', this.#salt!).update(text).digest('hex')
  }
}

/**
 * Of a step that is done once for a revision, or once for each model that scores it. Done again after a crash it has the
 * same id, and Elasticsearch keeps the first.
 */
export function stepSpanId(traceId: string, step: Step, generation: number): string {
  return hash('sha256', `${traceId} ${step} ${step === 'capture' ? 0 : generation}`).slice(0, 16)
}
