import { Worker } from 'node:worker_threads'
import { type ErrorCode, FreshetError } from '@freshet/errors/errors.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import { TimeSlice } from '@freshet/stage/time-slice.ts'
import { decodeGroup, type EncodedGroup } from './decode-group.ts'
import type { GroupDecoder } from './read.ts'
import { type SharedPage, viewPage } from './shared-page.ts'

export type GroupToDecode = Omit<EncodedGroup, 'bytes'> & { readonly bytes: ArrayBuffer }

export type Decoded =
  | { readonly kind: 'page'; readonly place: number; readonly page: SharedPage }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }

/** State of a place for a page; new memory is 0, so all are free. */
const FREE = 0
export const FULL = 1
const PLACES = 4
/** Smaller groups are decoded here: they are over before a thread would be up. */
const FEW_ROWS = 16_384

/**
 * Decodes row groups in a thread of its own, for those whose event loop serves others. What decoding leaves behind for the
 * garbage collector, some 200 MB a million rows, is left there: here it would stop the loop for 3 to 7 ms, again and
 * again. Pages come in shared memory, four at most. The thread begins with the first large group and ends on disposal.
 */
export class DecodingThread implements GroupDecoder, AsyncDisposable {
  readonly slice = new TimeSlice()
  #worker: Worker | undefined
  #onAbort: (() => void) | undefined
  #places = new Int32Array(new SharedArrayBuffer(0))
  readonly #replies: Decoded[] = []
  #failure: Error | undefined
  #wake: () => void = () => {}
  readonly #signal: AbortSignal

  /** @param signal ends it at once */
  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** One group at a time. @throws SNAPSHOT_CORRUPT; DEADLINE when `signal` aborts; and what ends the thread */
  async *decode(group: EncodedGroup): AsyncGenerator<StoredRows> {
    if (group.rows <= FEW_ROWS) return yield* decodeGroup(group, this.slice)
    if (this.#signal.aborted) throw givenUp()
    const worker = (this.#worker ??= this.#start())
    const bytes = ownBytes(group.bytes)
    worker.postMessage({ ...group, bytes } satisfies GroupToDecode, [bytes])
    let isOver = false
    try {
      for (;;) {
        const reply = await this.#next()
        isOver = reply.kind !== 'page'
        if (reply.kind === 'end') return
        if (reply.kind === 'failed') throw new FreshetError(reply.code, reply.message)
        yield viewPage(reply.page, group.schema)
        Atomics.store(this.#places, reply.place, FREE)
        Atomics.notify(this.#places, reply.place)
      }
    } finally {
      if (!isOver) await this.#end() // what it still sends would be taken for the next group's
    }
  }

  #start(): Worker {
    this.#places = new Int32Array(new SharedArrayBuffer(PLACES * Int32Array.BYTES_PER_ELEMENT))
    const worker = new Worker(PROGRAM, { workerData: { places: this.#places } })
    const fail = (failure: Error) => {
      if (this.#worker !== worker) return
      this.#failure ??= failure
      this.#wake()
    }
    worker.on('message', (reply: Decoded) => {
      if (this.#worker === worker) this.#replies.push(reply)
      this.#wake()
    })
    worker.on('error', fail)
    worker.on('exit', () => fail(new FreshetError('BUG', 'the thread that decodes snapshots has ended')))
    this.#onAbort = () => fail(givenUp())
    this.#signal.addEventListener('abort', this.#onAbort, { once: true })
    return worker
  }

  async #next(): Promise<Decoded> {
    for (;;) {
      const reply = this.#replies.shift()
      if (reply !== undefined) return reply
      if (this.#failure !== undefined) throw this.#failure
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    this.#replies.length = 0
    this.#failure = undefined // what ended this one is not the next one's
    // The signal is that of the whole service: it would keep each thread that ever was.
    if (this.#onAbort !== undefined) this.#signal.removeEventListener('abort', this.#onAbort)
    await worker?.terminate()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end()
  }
}

const PROGRAM = new URL('./decoding-worker.ts', import.meta.url)

function givenUp(): FreshetError {
  return new FreshetError('DEADLINE', 'the load was given up')
}

/** Memory that can be handed over: all of it, and nobody else's. */
function ownBytes(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, length } = bytes
  if (byteOffset === 0 && buffer.byteLength === length && buffer instanceof ArrayBuffer) return buffer
  return new Uint8Array(bytes).buffer
}
