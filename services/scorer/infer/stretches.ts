import type { Lease } from '@freshet/adapters/kafka/consumer.ts'
import { decodeNote, type InferNote, inferNoteRecord } from '@freshet/records/scoring-note.ts'

interface Stretch {
  readonly start: Lease['start']
  /** Behind the last fetch that was scored. */
  position: number
  note: InferNote | null
}

/**
 * Since which offset each partition is scored with the generation that scores it now. A stretch goes on under the next
 * owner of the partition, who finds it in the note beside the offset, and ends when another generation scores.
 */
export class Stretches {
  readonly #byPartition = new Map<number, Stretch>()

  /** The note to be kept beside the offsets of a fetch that `generation` scores. */
  during(partition: number, start: Lease['start'], generation: number): InferNote {
    const stretch = this.#of(partition, start)
    if (stretch.note?.generation !== generation)
      stretch.note = { version: 1, generation, sinceOffset: stretch.position }
    return stretch.note
  }

  /** A fetch is scored. */
  advance(partition: number, nextOffset: number): void {
    const stretch = this.#byPartition.get(partition)
    if (stretch !== undefined) stretch.position = nextOffset
  }

  /** All below what `note` says is scored with its generation too: nobody needs to look there again. */
  settle(partition: number, { generation, sinceOffset }: InferNote): void {
    const stretch = this.#byPartition.get(partition)
    const isStill = stretch?.note?.generation === generation && stretch.note.sinceOffset === sinceOffset
    if (isStill) stretch.note = { version: 1, generation, sinceOffset: 0 }
  }

  #of(partition: number, start: Lease['start']): Stretch {
    const known = this.#byPartition.get(partition)
    if (known?.start === start) return known
    const begun = { start, position: start.nextOffset, note: decodeNote(inferNoteRecord, start.note) }
    this.#byPartition.set(partition, begun)
    return begun
  }
}
