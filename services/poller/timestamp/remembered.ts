/** A version of a document as timestamp mode tells it apart from another. */
export interface DocumentVersion {
  readonly id: string
  /** Elasticsearch's `_version`. */
  readonly version: number
  readonly timestampMs: number
}

/**
 * What was emitted lately, so that reading the overlap again does not send it again. It is bounded, and what it forgets
 * is only sent once more: the same revision, which every store passes over.
 */
export class Remembered {
  readonly #byId = new Map<string, DocumentVersion>()
  readonly #maxDocuments: number

  constructor(maxDocuments: number) {
    this.#maxDocuments = maxDocuments
  }

  has({ id, version, timestampMs }: DocumentVersion): boolean {
    const known = this.#byId.get(id)
    return known !== undefined && known.version === version && known.timestampMs === timestampMs
  }

  add(documents: readonly DocumentVersion[]): void {
    for (const { id, version, timestampMs } of documents) {
      this.#byId.delete(id) // the last to come in is the last to go
      this.#byId.set(id, { id, version, timestampMs })
    }
    for (const id of this.#byId.keys()) {
      if (this.#byId.size <= this.#maxDocuments) break
      this.#byId.delete(id)
    }
  }

  /** Documents come in by timestamp, so the first that is young enough ends the search; one out of turn stays longer. */
  forgetBefore(timestampMs: number): void {
    for (const known of this.#byId.values()) {
      if (known.timestampMs >= timestampMs) break
      this.#byId.delete(known.id)
    }
  }
}
