import type { ShardsView } from '@freshet/adapters/elasticsearch/shards.ts'
import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import type { HeldShard } from '../sharing/held-shard.ts'
import { SourceNews, tellDifference } from './source-news.ts'
import { UnreadableNews } from './unreadable-news.ts'

/** Tells each thing once when it begins and once when it ends, and keeps the gauges. */
export class CaptureNews {
  readonly #telemetry: Telemetry
  readonly #source: SourceNews
  readonly #unreadable: UnreadableNews
  #closed: ReadonlySet<string> = new Set()
  #missing: ReadonlySet<string> = new Set()
  #refusals: readonly string[] = []

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry
    this.#source = new SourceNews(telemetry.log, 'shards')
    this.#unreadable = new UnreadableNews(telemetry.log)
  }

  cannotLook(error: unknown): void {
    this.#source.cannotLook(error)
  }

  canLook(): void {
    this.#source.canLook()
  }

  cannotJudge(error: unknown): void {
    const { message } = toFreshetError(error)
    this.#telemetry.log.warn(`cannot tell yet whether new indices can be captured, trying again: ${message}`)
  }

  /** What a look has shown. */
  tell(view: ShardsView, ours: readonly HeldShard[], refusals: readonly string[]): void {
    const { log, metrics } = this.#telemetry
    this.#unreadable.tell(
      view,
      ours.map(({ cursor }) => cursor),
    )
    this.#closed = tellDifference(this.#closed, view.closed, {
      begins: (name) =>
        log.warn(`${name} is closed: its capture is paused until it is opened, nothing is deleted`),
      ends: (name) => log.info(`${name} is no longer closed`),
    })
    const missing = new Set(ours.filter(({ isMissing }) => isMissing).map(({ cursor }) => cursor.index))
    this.#missing = tellDifference(this.#missing, missing, {
      begins: (name) => log.warn(`${name} is gone: its keys are deleted unless it comes back soon`),
      ends: (name) => log.info(`what was missing of ${name} is back, or done with`),
    })
    this.#source.tell({ reasons: refusals, isEmpty: view.indexUuids.size === 0 })
    this.#refusals = refusals
    metrics.set('freshet.poller.shards', ours.length)
    metrics.set('freshet.poller.unreadable', view.unreadable.length)
    metrics.set('freshet.poller.closed', view.closed.length)
    metrics.set('freshet.poller.gone', missing.size)
    metrics.set('freshet.poller.refused', refusals.length)
  }

  /** @returns what makes the service say that it is not well, although it works; undefined when all is well */
  trouble(ours: readonly HeldShard[]): unknown {
    let behind = 0
    for (const { view, cursor } of ours)
      if (view !== undefined) behind += Math.max(0, view.globalCheckpoint - cursor.seqNo)
    this.#telemetry.metrics.set('freshet.poller.behind', behind)
    // One that is closed or not to be read is told of otherwise: no retry of it is under way.
    const failing = ours.find(
      ({ failure, view, isMissing }) => failure !== undefined && (view !== undefined || isMissing),
    )
    if (failing !== undefined) return failing.failure?.error
    if (this.#refusals.length > 0) return new FreshetError('INDEX_NOT_CAPTURABLE', this.#refusals.join('; '))
    return undefined
  }

  tellFailure({ index, shard }: { readonly index: string; readonly shard: number }, error: unknown): void {
    this.#telemetry.log.warn(`capture of ${index}/${shard} is tried again: ${toFreshetError(error).message}`)
  }

  cannotSave(cursors: number, error: unknown): void {
    const { message } = toFreshetError(error)
    this.#telemetry.log.warn(`${cursors} cursors are not written yet, trying again: ${message}`)
  }

  tellIdentity(before: Cursor, { index, shard, seqNo, epoch }: Cursor): void {
    const { log, metrics } = this.#telemetry
    if (before.epoch !== epoch) {
      log.info(`capture of ${index}/${shard} starts at the beginning, epoch ${epoch}`)
      return
    }
    metrics.add('freshet.poller.rewinds')
    log.info(
      `the primary of ${index}/${shard} changed: read again from ${seqNo + 1}, was at ${before.seqNo + 1}`,
    )
  }
}
