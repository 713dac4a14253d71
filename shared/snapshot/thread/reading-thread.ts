import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { RowsSchema, StoredRows } from '@freshet/records/stored-rows.ts'
import { compileCacheEnv } from '@freshet/stage/compile-cache-env.ts'
import type { FileAddress } from '../parquet/source.ts'
import { newPlaces, Taker } from './places.ts'
import { viewPage } from './shared-page.ts'

/** What a thread runs: it opens a store from `data`, which is copied to it, and answers reads from that. */
export interface ReadingProgram {
  readonly url: URL
  readonly data: unknown
}

/**
 * Reads snapshot files in a thread of its own, for those whose event loop serves others. What comes from the store and what
 * decoding it leaves behind for the garbage collector, some 300 MB a million rows, is left there: here it would stop the
 * loop for 3 to 10 ms, again and again. The thread begins with the first file and ends on disposal.
 */
export class ReadingThread implements AsyncDisposable {
  readonly #program: ReadingProgram
  #running: Running | undefined
  readonly #signal: AbortSignal

  /** @param signal ends at once what is asked for, and with it the thread */
  constructor(program: ReadingProgram, signal: AbortSignal) {
    this.#program = program
    this.#signal = signal
  }

  /**
   * All rows in the order of their keys, one file at a time; each page holds until the next is asked for.
   * @throws SNAPSHOT_FILE_MISSING, SNAPSHOT_CORRUPT, RECORD_VERSION, and what the store throws; DEADLINE when `signal`
   *   aborts or the thread says nothing for minutes; and what ends the thread
   */
  async *pages(file: FileAddress): AsyncGenerator<StoredRows> {
    if (this.#signal.aborted) throw givenUp()
    if (this.#running?.failure !== undefined) await this.#end()
    const running = (this.#running ??= this.#start())
    const { worker, taker } = running
    worker.postMessage(file)
    let schema: RowsSchema | undefined
    let isOver = false
    let heardAtMs = performance.now()
    try {
      for (;;) {
        if (running.failure !== undefined) throw running.failure
        const reply = taker.look()
        if (reply === undefined) {
          if (performance.now() - heardAtMs > SILENT_MS) throw silent()
          await taker.rest()
          continue
        }
        if (reply.kind === 'page') yield viewPage(reply.page, schema!)
        taker.done()
        heardAtMs = performance.now()
        isOver = reply.kind === 'end' || reply.kind === 'failed'
        if (reply.kind === 'opened') schema = reply.schema
        if (reply.kind === 'failed') throw new FreshetError(reply.code, reply.message)
        if (isOver) return
      }
    } finally {
      if (!isOver) await this.#end() // what it still gives would be taken for the next file's
    }
  }

  #start(): Running {
    const { url, data: workerData } = this.#program
    const worker = new Worker(url, { workerData, env: { ...process.env, ...compileCacheEnv() } })
    const places = newPlaces()
    worker.postMessage(places)
    const { promise: exited, resolve: onExit } = Promise.withResolvers<void>()
    const fail = (failure: Error) => (running.failure ??= failure)
    const onAbort = () => fail(givenUp())
    const running: Running = { worker, taker: new Taker(places), exited, onAbort, failure: undefined }
    worker.on('error', fail)
    worker.on('exit', () => {
      fail(new FreshetError('BUG', 'the thread that reads snapshots has ended'))
      onExit()
    })
    this.#signal.addEventListener('abort', onAbort, { once: true })
    return running
  }

  /**
   * The thread is asked to end, never made to: Node 24 aborts the whole process when a thread is terminated just as it makes
   * a context of zstd, which it does for every column ("close before init").
   */
  async #end(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    if (running === undefined) return
    // The signal is that of the whole service: it would keep each thread that ever was.
    this.#signal.removeEventListener('abort', running.onAbort)
    running.taker.over()
    running.worker.postMessage(null)
    await Promise.race([running.exited, pause(END_WITHIN_MS, undefined, { ref: false })])
    running.worker.unref() // one that still loads its program, or waits for a core, ends by itself when it has
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end()
  }
}

interface Running {
  readonly worker: Worker
  readonly taker: Taker
  readonly exited: Promise<void>
  readonly onAbort: () => void
  /** What ended it. */
  failure: Error | undefined
}

/** What it may be in the middle of takes a tenth of that, where there is a core for it. */
const END_WITHIN_MS = 2_000
/** Longer than any read of S3 is waited for (prompt-reads.ts). */
const SILENT_MS = 120_000

function silent(): FreshetError {
  return new FreshetError('DEADLINE', 'the thread that reads snapshots says nothing')
}

function givenUp(): FreshetError {
  return new FreshetError('DEADLINE', 'the load was given up')
}
