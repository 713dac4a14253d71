import type { ShardsView } from '@freshet/adapters/elasticsearch/shards.ts'
import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import type { HeldShard } from '../sharing/held-shard.ts'
import { UnreadableNews } from './unreadable-news.ts'

/** Tells each thing once when it begins and once when it ends, and keeps the gauges. */
export class CaptureNews {
  readonly #telemetry: Telemetry
  readonly #unreadable: UnreadableNews
  #closed: ReadonlySet<string> = new Set()
  #missing: ReadonlySet<string> = new Set()
  #refused: ReadonlySet<string> = new Set()
  #isBlind = false
  #isEmpty = false

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry
    this.#unreadable = new UnreadableNews(telemetry.log)
  }

  cannotLook(error: unknown): void {
    if (!this.#isBlind)
      this.#telemetry.log.warn(`cannot look at the shards, trying again: ${toFreshetError(error).message}`)
    this.#isBlind = true
  }

  canLook(): void {
    if (this.#isBlind) this.#telemetry.log.info('Elasticsearch answers again')
    this.#isBlind = false
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
    this.#closed = compare(this.#closed, view.closed, {
      begins: (name) =>
        log.warn(`${name} is closed: its capture is paused until it is opened, nothing is deleted`),
      ends: (name) => log.info(`${name} is no longer closed`),
    })
    const missing = new Set(ours.filter(({ isMissing }) => isMissing).map(({ cursor }) => cursor.index))
    this.#missing = compare(this.#missing, missing, {
      begins: (name) => log.warn(`${name} is gone: its keys are deleted unless it comes back soon`),
      ends: (name) => log.info(`what was missing of ${name} is back, or done with`),
    })
    this.#refused = compare(this.#refused, refusals, {
      begins: (reason) => log.warn(`not captured: ${reason}`),
      ends: (reason) => log.info(`no longer there: ${reason}`),
    })
    const isEmpty = view.indexUuids.size === 0
    if (isEmpty && !this.#isEmpty) log.warn('no index is there to capture; one is taken up when it appears')
    this.#isEmpty = isEmpty
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
    if (this.#refused.size > 0) return new FreshetError('INDEX_NOT_CAPTURABLE', [...this.#refused].join('; '))
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

function compare(
  before: ReadonlySet<string>,
  names: Iterable<string>,
  { begins, ends }: { begins: (name: string) => void; ends: (name: string) => void },
): ReadonlySet<string> {
  const now = new Set(names)
  for (const name of now) if (!before.has(name)) begins(name)
  for (const name of before) if (!now.has(name)) ends(name)
  return now
}
