import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import { readShadow, type ShadowPointer } from '@freshet/model/bundle/shadow-pointer.ts'
import { type LoadedModel, loadModel } from '@freshet/model/run/loaded-model.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { withGrace } from '@freshet/stage/grace.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import type { BackgroundWork } from '../background-work.ts'
import type { ScoredBatch } from '../infer/batch-scorer.ts'
import { commonOutputs, compareRows, type ScoredRows } from './compare-rows.ts'
import { ShadowQueue } from './shadow-queue.ts'
import { ShadowReports } from './shadow-reports.ts'

export interface ShadowDeps {
  readonly store: ObjectStore
  readonly background: BackgroundWork
  readonly clock: Clock
}

/** Small, because a fresh change may have to wait for one. */
const BATCH_ROWS = 500
const LAST_REPORT_MS = 3_000
const COMPLAINT_INTERVAL_MS = 60_000

interface Active {
  readonly pointer: ShadowPointer
  readonly label: string
  /** null: refused, or not to be had at present. */
  readonly model: LoadedModel | null
}

/**
 * Scores what the promoted model scores with a second one too, in the gaps of fresh changes, and reports how they
 * differ. Its scores go nowhere else; what it is too slow for, and whatever befalls it, holds nobody up.
 */
export class Shadow {
  readonly #context: ServiceContext
  readonly #deps: ShadowDeps
  readonly #queue = new ShadowQueue()
  readonly #reports: ShadowReports
  readonly #complaints: Throttle
  #active: Active | null = null
  #lookAtMs = 0

  constructor(context: ServiceContext, deps: ShadowDeps) {
    this.#context = context
    this.#deps = deps
    this.#complaints = new Throttle(COMPLAINT_INTERVAL_MS, deps.clock)
    this.#reports = new ShadowReports({
      ...{ store: deps.store, clock: deps.clock, metrics: context.telemetry.metrics },
      takeSkipped: () => this.#queue.takeSkipped(),
      complain: (what, error) => this.#complain(what, error),
    })
  }

  /** What was scored just now. Returns at once. */
  offer(model: LoadedModel, scored: ScoredBatch): void {
    if (this.#active?.model) this.#queue.offer(model, scored)
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps
    try {
      while (!signal.aborted) {
        await this.#look(signal)
        await this.#reports.reportWhenDue(signal)
        const rows = this.#active?.model && this.#queue.take()
        if (rows) await this.#compare(rows, signal)
        else
          await clock.sleep(
            Math.max(0, this.#lookAtMs - clock.nowMs()),
            AbortSignal.any([signal, this.#queue.bell]),
          )
      }
    } finally {
      using grace = withGrace(signal, LAST_REPORT_MS)
      await this.#reports.report(grace.signal)
      await this.#close()
    }
  }

  /** Takes what the pointer names into use, unless it is. */
  async #look(signal: AbortSignal): Promise<void> {
    const { store, clock } = this.#deps
    if (clock.nowMs() < this.#lookAtMs) return
    this.#lookAtMs = clock.nowMs() + this.#context.settings.model.pointerIntervalMs
    try {
      const pointer = await readShadow(store, signal)
      if (isSame(pointer, this.#active?.pointer ?? null)) return
      await this.#reports.report(signal)
      await this.#close()
      if (pointer !== null) await this.#open(pointer, signal)
    } catch (error) {
      if (!signal.aborted) this.#complain('the shadow’s pointer or model cannot be read', error)
    }
  }

  async #open(pointer: ShadowPointer, signal: AbortSignal): Promise<void> {
    const { store } = this.#deps
    const { log } = this.#context.telemetry
    const { name, modelVersion: version } = pointer
    const label = modelLabel({ name, version })
    try {
      const model = await loadModel(
        store,
        pointer,
        { threads: 1, runRows: this.#context.settings.scorer.runRows },
        signal,
      )
      this.#active = { pointer, label, model }
      log.info(`${label} scores beside the promoted model, for comparison only`, {
        [ATTRIBUTES.model]: label,
      })
    } catch (error) {
      if (!isFreshetError(error) || error.retryable) throw error
      this.#active = { pointer, label, model: null } // another pointer mends it, a retry does not
      log.error(`${label} is refused as a shadow`, error)
    }
  }

  async #compare(all: ScoredRows, signal: AbortSignal): Promise<void> {
    const { background } = this.#deps
    for (let from = 0; from < all.documents.length && !signal.aborted; from += BATCH_ROWS) {
      const rows = {
        ...all,
        documents: all.documents.slice(from, from + BATCH_ROWS),
        columns: all.columns.map((column) => column.subarray(from, from + BATCH_ROWS)),
      }
      await background.doNext(() => this.#compareBatch(rows, signal), signal)
    }
  }

  async #compareBatch(
    { current, outputs, documents, columns }: ScoredRows,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#deps
    const { metrics } = this.#context.telemetry
    const { label, pointer } = this.#active!
    const model = this.#active!.model!
    const common = commonOutputs(outputs, model.outputs)
    const beganAtMs = performance.now()
    const compared = await compareRows(model, documents, signal).catch((error: unknown) => {
      if (signal.aborted) return null
      this.#complain('the shadow does not score', error)
      return { columns: [], failedRows: { [isFreshetError(error) ? error.code : 'BUG']: documents.length } }
    })
    if (compared === null) return
    const tookMs = performance.now() - beganAtMs
    const book = await this.#reports.bookOf(
      { shadow: label, current, sinceMs: pointer.sinceMs, instance: this.#context.instance },
      common.map(({ name }) => name),
      signal,
    )
    const { failedRows } = compared
    book.scored({ rows: documents.length, failedRows, tookMs, atMs: clock.nowMs() })
    for (const [index, output] of common.entries())
      for (const [row, score] of (compared.columns[output.shadow] ?? []).entries())
        if (!Number.isNaN(score)) book.pair(index, columns[output.current]![row]!, score)
    metrics.add('freshet.shadow.rows', documents.length)
    metrics.add(
      'freshet.shadow.failed',
      Object.values(failedRows).reduce((sum, count) => sum + count, 0),
    )
  }

  async #close(): Promise<void> {
    const { model } = this.#active ?? {}
    this.#active = null
    this.#reports.forget()
    this.#queue.clear()
    await model?.pool[Symbol.asyncDispose]()
  }

  #complain(what: string, error: unknown): void {
    const known = error instanceof FreshetError ? error.code : String(error)
    if (this.#complaints.pass(`${what} ${known}`) !== null) this.#context.telemetry.log.error(what, error)
  }
}

function isSame(a: ShadowPointer | null, b: ShadowPointer | null): boolean {
  return (
    a?.name === b?.name &&
    a?.modelVersion === b?.modelVersion &&
    a?.sha256 === b?.sha256 &&
    a?.sinceMs === b?.sinceMs
  )
}
