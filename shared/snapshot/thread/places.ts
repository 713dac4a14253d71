import { setTimeout as pause } from 'node:timers/promises'
import { deserialize, serialize } from 'node:v8'
import type { ErrorCode } from '@freshet/errors/errors.ts'
import type { RowsSchema, StoredRows } from '@freshet/records/stored-rows.ts'
import { pageBytes, type SharedPage, sharePage } from './shared-page.ts'

/** What comes over, in this order: `opened`, pages, `end`; or `failed` at any time. */
export type Reply = Told | { readonly kind: 'page'; readonly page: SharedPage }

type Told =
  | { readonly kind: 'opened'; readonly schema: RowsSchema }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }

/** Memory of two threads, in which one gives and the other takes. */
export interface Places {
  /**
   * Of each place three words: its state; a page's rows and the bytes of its keys, or the bytes of what is told. A last one
   * says whether it is over.
   */
  readonly words: Int32Array
  readonly buffers: readonly SharedArrayBuffer[]
}

const PLACES = 4
const WORDS = 3
const OVER_AT = PLACES * WORDS
const STATE = { free: 0, page: 1, told: 2 } as const // new memory is 0
/** Nothing but addresses, until it is used. */
const MAX_BYTES = 256 * 2 ** 20
/**
 * Each side looks now and then what the other has done. A message would be there at once; but it wakes who waits for it
 * while its lock is still held, by a thread that gets a core after others: that held the event loop for up to 9 ms.
 */
const LOOK_MS = 1

export function newPlaces(): Places {
  return {
    words: new Int32Array(new SharedArrayBuffer((OVER_AT + 1) * Int32Array.BYTES_PER_ELEMENT)),
    buffers: Array.from({ length: PLACES }, () => new SharedArrayBuffer(0, { maxByteLength: MAX_BYTES })),
  }
}

/** The side that gives. It waits, and its thread with it, until there is a free place. */
export class Giver {
  readonly #places: Places
  readonly #onOver: () => never
  #given = 0

  /** @param onOver called in place of giving what nobody takes any more */
  constructor(places: Places, onOver: () => never) {
    this.#places = places
    this.#onOver = onOver
  }

  page(rows: StoredRows): void {
    const { count, keyBytes } = sharePage(rows, this.#freeBuffer(pageBytes(rows)))
    this.#give(STATE.page, count, keyBytes)
  }

  tell(told: Told): void {
    const bytes = serialize(told)
    new Uint8Array(this.#freeBuffer(bytes.length)).set(bytes)
    this.#give(STATE.told, bytes.length)
  }

  #freeBuffer(bytes: number): SharedArrayBuffer {
    const { words, buffers } = this.#places
    const place = this.#given % PLACES
    for (let state: number; (state = Atomics.load(words, place * WORDS)) !== STATE.free; ) {
      if (Atomics.load(words, OVER_AT) !== 0) break
      Atomics.wait(words, place * WORDS, state, LOOK_MS)
    }
    if (Atomics.load(words, OVER_AT) !== 0) this.#onOver()
    const buffer = buffers[place]!
    if (buffer.byteLength < bytes) buffer.grow(bytes)
    return buffer
  }

  #give(state: number, a: number, b = 0): void {
    const { words } = this.#places
    const at = (this.#given++ % PLACES) * WORDS
    words[at + 1] = a
    words[at + 2] = b
    Atomics.store(words, at, state)
  }
}

/** The side that takes, in the order in which it was given. */
export class Taker {
  readonly #places: Places
  #taken = 0

  constructor(places: Places) {
    this.#places = places
  }

  /** What comes next; undefined when it is not there yet. A page lies in its place until `done`. */
  look(): Reply | undefined {
    const { words, buffers } = this.#places
    const place = this.#taken % PLACES
    const at = place * WORDS
    const state = Atomics.load(words, at)
    if (state === STATE.free) return undefined
    const buffer = buffers[place]!
    if (state === STATE.told) return deserialize(new Uint8Array(buffer).slice(0, words[at + 1]!)) as Told
    return { kind: 'page', page: { buffer, count: words[at + 1]!, keyBytes: words[at + 2]! } }
  }

  done(): void {
    Atomics.store(this.#places.words, (this.#taken++ % PLACES) * WORDS, STATE.free)
  }

  /** Takes no more, for good. */
  over(): void {
    Atomics.store(this.#places.words, OVER_AT, 1)
  }

  /** A moment until it is worth another look. */
  rest(): Promise<void> {
    return pause(LOOK_MS)
  }
}
