import { PageTooLarge } from '@freshet/adapters/elasticsearch/read-page.ts'
import {
  afterPage,
  afterTooLarge,
  nextPage,
  type PageLimits,
  type PageSize,
  UNKNOWN_SIZE,
} from '../capture/page-size.ts'
import { advance, end, type Overlap, type Progress, planRead, type Read, wholeFromMs } from './progress.ts'
import { type DocumentVersion, Remembered } from './remembered.ts'

interface ReadRequest<Document> {
  /** Inclusive; -Infinity for all. */
  readonly fromMs: number
  /** The last document of the page before; undefined for the first page. */
  readonly after: Document | undefined
  readonly rows: number
  readonly maxBytes: number
}

/** One view of the index, in which pages follow each other without gap or repetition. */
export interface Frozen<Document> extends AsyncDisposable {
  /**
   * @returns documents in the order of their timestamps; fewer than `rows` only at the end
   * @throws PageTooLarge
   */
  read(
    request: ReadRequest<Document>,
  ): Promise<{ readonly hits: readonly Document[]; readonly bytes: number }>
}

/** What capture of one index does to the world. */
export interface IndexWorld<Document extends DocumentVersion> {
  /** Everything that was written before is in it. */
  freeze(): Promise<Frozen<Document>>
  /** Resolves when Kafka has acknowledged all of them. */
  emit(documents: readonly Document[]): Promise<void>
  /** Resolves when the progress is stored. */
  save(progress: Pick<Progress, 'newestMs' | 'settledMs'>): Promise<void>
}

export interface CaptureLimits extends PageLimits {
  readonly overlap: Overlap
  readonly maxRemembered: number
}

/** Captures one index by the timestamps of its documents: what progress.ts plans, page by page. */
export class CaptureByTimestamp<Document extends DocumentVersion> {
  readonly #world: IndexWorld<Document>
  readonly #limits: CaptureLimits
  readonly #remembered: Remembered
  #progress: Progress
  #pageSize: PageSize = UNKNOWN_SIZE

  constructor(world: IndexWorld<Document>, progress: Progress, limits: CaptureLimits) {
    this.#world = world
    this.#limits = limits
    this.#remembered = new Remembered(limits.maxRemembered)
    this.#progress = progress
  }

  /**
   * Reads what may be new, if anything may.
   * @param present see planRead
   * @throws what the world throws; the next poll goes on behind the last page that was stored
   */
  async poll(present: { readonly nowMs: number; readonly state: string | undefined }): Promise<void> {
    const read = planRead(this.#progress, present, this.#limits.overlap)
    if (read === undefined) return
    await using frozen = await this.#world.freeze()
    const futureMs = await this.#readAll(frozen, read)
    await this.#store(end(this.#progress, read, { state: present.state, futureMs }))
  }

  /** @returns the first timestamp of the future, where the reading ends */
  async #readAll(frozen: Frozen<Document>, { fromMs, toMs }: Read): Promise<number> {
    let after: Document | undefined
    for (;;) {
      const { page, isLast } = await this.#readPage(frozen, fromMs, after)
      const future = page.find(({ timestampMs }) => timestampMs > toMs)
      const present = future === undefined ? page : page.slice(0, page.indexOf(future))
      await this.#take(present)
      if (future !== undefined) return future.timestampMs
      if (isLast) return Number.POSITIVE_INFINITY
      after = page.at(-1)
    }
  }

  /** One that is too large is asked for again with fewer rows. */
  async #readPage(frozen: Frozen<Document>, fromMs: number, after: Document | undefined) {
    for (;;) {
      const { rows, maxBytes } = nextPage(this.#pageSize, 0, this.#limits)
      try {
        const { hits, bytes } = await frozen.read({ fromMs, after, rows, maxBytes })
        this.#pageSize = afterPage(this.#pageSize, { rows: hits.length, bytes })
        return { page: hits, isLast: hits.length < rows }
      } catch (error) {
        if (!(error instanceof PageTooLarge) || maxBytes === Number.POSITIVE_INFINITY) throw error
        this.#pageSize = afterTooLarge(this.#pageSize, { rows, maxRows: error.maxRows }, this.#limits)
      }
    }
  }

  async #take(page: readonly Document[]): Promise<void> {
    const last = page.at(-1)
    if (last === undefined) return
    const fresh = page.filter((document) => !this.#remembered.has(document))
    if (fresh.length > 0) await this.#world.emit(fresh)
    await this.#store(advance(this.#progress, last.timestampMs))
    this.#remembered.add(fresh)
    this.#remembered.forgetBefore(wholeFromMs(this.#progress, this.#limits.overlap))
  }

  /** Nothing is written where nothing has moved: an index at rest costs no message. */
  async #store(next: Progress): Promise<void> {
    const { newestMs, settledMs } = this.#progress
    if (next.newestMs !== newestMs || next.settledMs !== settledMs) await this.#world.save(next)
    this.#progress = next
  }
}
