import { Buffer } from 'node:buffer'
import type { TelemetryDocument } from './documents.ts'

/** From what is given up first to what is kept longest: logs below WARN, spans, logs from WARN up. */
const WORTHS = ['chatter', 'span', 'alarm'] as const
export type Worth = (typeof WORTHS)[number]

/** A document on its way to Elasticsearch. */
export interface QueuedDocument {
  /** Two lines of a bulk request: the action, then the document. */
  readonly lines: string
  readonly bytes: number
  readonly worth: Worth
}

/** @param id makes a repeat after a lost answer recognisable. */
export function queuedDocument(
  document: TelemetryDocument,
  { index, id, worth }: { index: string; id: string; worth: Worth },
): QueuedDocument {
  const lines = `${JSON.stringify({ create: { _index: index, _id: id } })}\n${JSON.stringify(document)}\n`
  return { lines, bytes: Buffer.byteLength(lines), worth }
}

/**
 * What waits for Elasticsearch, bounded by bytes. Documents in flight count until they are settled, so the bound holds
 * for memory. When full, the oldest of the least worth is dropped: a push never waits and never throws.
 */
export class DocumentQueue {
  readonly #maxBytes: number
  readonly #onDrop: () => void
  readonly #waiting: Record<Worth, QueuedDocument[]> = { chatter: [], span: [], alarm: [] }
  #bytes = 0

  constructor(maxBytes: number, onDrop: () => void) {
    this.#maxBytes = maxBytes
    this.#onDrop = onDrop
  }

  /** Of what waits and what is in flight. */
  get bytes(): number {
    return this.#bytes
  }

  get waiting(): number {
    return WORTHS.reduce((sum, worth) => sum + this.#waiting[worth].length, 0)
  }

  push(document: QueuedDocument): void {
    this.#waiting[document.worth].push(document)
    this.#bytes += document.bytes
    this.#shrink()
  }

  /** Most worth first, then oldest first; up to `maxBytes`, but at least one if any waits. */
  take(maxBytes: number): QueuedDocument[] {
    const taken: QueuedDocument[] = []
    let bytes = 0
    for (const worth of WORTHS.toReversed()) {
      const waiting = this.#waiting[worth]
      let count = 0
      while (count < waiting.length && (bytes + waiting[count]!.bytes <= maxBytes || bytes === 0))
        bytes += waiting[count++]!.bytes
      taken.push(...waiting.splice(0, count))
    }
    return taken
  }

  /** What was taken is over: written or given up. */
  settle(documents: readonly QueuedDocument[]): void {
    for (const { bytes } of documents) this.#bytes -= bytes
  }

  /** What was taken waits again, before all else of its worth. */
  putBack(documents: readonly QueuedDocument[]): void {
    for (const worth of WORTHS)
      this.#waiting[worth].unshift(...documents.filter((document) => document.worth === worth))
    this.#shrink()
  }

  #shrink(): void {
    while (this.#bytes > this.#maxBytes) {
      const worth = WORTHS.find((candidate) => this.#waiting[candidate].length > 0)
      if (worth === undefined) return // all of it is in flight
      this.#bytes -= this.#waiting[worth].shift()!.bytes
      this.#onDrop()
    }
  }
}
