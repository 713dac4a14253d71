import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace-base'

export interface SpanIds {
  readonly traceId: string
  readonly spanId: string
}

/** Ids by chance, but for spans whose ids were chosen. */
export class ChosenIds implements IdGenerator {
  readonly #byChance = new RandomIdGenerator()
  #chosen: SpanIds | null = null

  /** @param start starts one span, at once. */
  during<T>(ids: SpanIds, start: () => T): T {
    this.#chosen = ids
    try {
      return start()
    } finally {
      this.#chosen = null
    }
  }

  generateTraceId(): string {
    return this.#chosen?.traceId ?? this.#byChance.generateTraceId()
  }

  generateSpanId(): string {
    return this.#chosen?.spanId ?? this.#byChance.generateSpanId()
  }
}
