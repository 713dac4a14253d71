/** What lies in `.dead`, as a replay takes it: of each document the letter of its newest revision. Pure. */
import { Buffer } from 'node:buffer'
import type { IncomingMessage } from '@freshet/adapters/kafka/batch.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { CHANGE_HEADER, decodeChange } from '@freshet/records/change.ts'
import { DEAD_LETTER_HEADER, type DeadLetter, deadLetterRecord } from '@freshet/records/dead-letter.ts'
import { compareRevisions, type Revision } from '@freshet/records/revision.ts'
import { decodeScoreBatch } from '@freshet/records/score-batch.ts'
import { type TopicName, topicName } from '@freshet/records/topics.ts'

/** Why one document has no score. */
export interface DocumentLetter {
  /** As it travels; of one without a usable key: its index and id. */
  readonly key: string
  readonly revision: Revision
  readonly letter: DeadLetter
}

/** A message of `.scores` that could not be read. */
export interface BatchLetter {
  readonly letter: DeadLetter
  /** Its bytes, where this build can read them; null where it cannot either. */
  readonly value: Buffer | null
}

export interface Chosen {
  /** Only letters of this code; undefined: of all. */
  readonly code: string | undefined
  /** Only letters from then on. */
  readonly sinceMs: number
}

/** Of each kind, some 100 MB. Of documents beyond it the oldest are left out, of all else the newest. */
const MAX_LETTERS = 200_000
const MAX_BATCH_BYTES = 64 * 1024 * 1024

export class DeadPile {
  readonly #chosen: Chosen
  readonly #maxLetters: number
  readonly #scores: string
  readonly #documents = new Map<string, DocumentLetter>()
  readonly #batches: BatchLetter[] = []
  readonly #broken: DeadLetter[] = []
  #batchBytes = 0
  #leftOut = 0
  #unreadable = 0

  constructor(pipeline: string, chosen: Chosen, maxLetters = MAX_LETTERS) {
    this.#chosen = chosen
    this.#maxLetters = maxLetters
    this.#scores = topicName(pipeline, 'scores' satisfies TopicName)
  }

  /** Of each document the letter of its newest revision; the last one, when it died more than once. */
  get documents(): readonly DocumentLetter[] {
    return [...this.#documents.values()]
  }

  get batches(): readonly BatchLetter[] {
    return this.#batches
  }

  /** Messages of `.changes` that say nothing of a revision, so nobody knows what they would outrank. */
  get broken(): readonly DeadLetter[] {
    return this.#broken
  }

  /** Letters for which there was no room. */
  get leftOut(): number {
    return this.#leftOut
  }

  /** Messages of `.dead` that are no letters. */
  get unreadable(): number {
    return this.#unreadable
  }

  /** A message of `.dead`, in the order of the topic. */
  add({ key, value, headers }: Pick<IncomingMessage, 'key' | 'value' | 'headers'>): void {
    const letter = readLetter(headers[DEAD_LETTER_HEADER])
    if (letter === undefined) {
      this.#unreadable++
      return
    }
    const { code, sinceMs } = this.#chosen
    if (letter.diedAtMs < sinceMs || (code !== undefined && letter.code !== code)) return
    if (letter.topic === this.#scores) this.#addBatch(letter, value)
    else this.#addDocument(letter, key, headers[CHANGE_HEADER])
  }

  #addBatch(letter: DeadLetter, value: Buffer | null): void {
    const isReadable = value !== null && isScoreBatch(value)
    const bytes = isReadable ? value.length : 0
    if (this.#batches.length === this.#maxLetters || this.#batchBytes + bytes > MAX_BATCH_BYTES) {
      this.#leftOut++
      return
    }
    this.#batchBytes += bytes
    this.#batches.push({ letter, value: isReadable ? Buffer.from(value) : null })
  }

  #addDocument(letter: DeadLetter, key: Buffer | null, header: Buffer | undefined): void {
    const revision = key === null ? undefined : readRevision(key, header)
    if (key === null || revision === undefined) {
      if (this.#broken.length === this.#maxLetters) this.#leftOut++
      else this.#broken.push(letter)
      return
    }
    const name = key.toString()
    const known = this.#documents.get(name)
    if (known !== undefined && compareRevisions(known.revision, revision) > 0) return
    this.#documents.delete(name) // whatever died last is kept longest
    this.#documents.set(name, { key: name, revision, letter })
    if (this.#documents.size <= this.#maxLetters) return
    this.#documents.delete(this.#documents.keys().next().value!)
    this.#leftOut++
  }
}

function readLetter(header: Buffer | undefined): DeadLetter | undefined {
  return header === undefined ? undefined : readable(() => deadLetterRecord.decode(header))
}

/** The header alone says it; one that was too large for Kafka stands there without its bytes. */
function readRevision(key: Buffer, header: Buffer | undefined): Revision | undefined {
  const isDelete = header?.[1] === 1
  return readable(() => decodeChange(key, header, isDelete ? null : NO_BYTES).revision)
}

const NO_BYTES = Buffer.alloc(0)

function isScoreBatch(value: Buffer): boolean {
  return readable(() => decodeScoreBatch(value)) !== undefined
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!isFreshetError(error)) throw error
    return undefined
  }
}
