import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { type Cursor, isSameHistory, isSamePrimary } from '@freshet/records/cursor.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import { tell } from '../capture/capture.ts'
import type { Capture, Told } from '../capture/capture-state.ts'
import { BACK_OFF } from '../capture/failures.ts'
import type { TrackedShard } from './tracked-shard.ts'

/** A scan under way; its state moves without our doing. */
export interface RunningScan {
  readonly state: Capture
}

/**
 * One shard of a partition that is held: where its capture stands, whether a scan runs or not, and what was last seen of
 * it. What others tell while a scan runs is decided on when it has ended.
 */
export class HeldShard implements TrackedShard {
  readonly key: string
  readonly partition: number
  /** `.cursors` ends with something else than what we know. */
  mustSave = false
  /** While it fails: how often in a row, why, and when it may be tried again. */
  failure: { readonly attempts: number; readonly error: unknown; readonly notBeforeMs: number } | undefined
  /** The turn of its last scan: who has waited longest is next. */
  lastTurn = 0
  /** Its last turn was over before its scan was. */
  isLong = false
  #view: ShardView | undefined
  #seen: ShardView | undefined
  #isClosed = false
  #missingSinceMs: number | undefined
  #isDead = false
  #idle: Capture
  #durable: Cursor
  #scan: RunningScan | undefined
  #stop: AbortController | undefined
  readonly #told: Told[] = []
  /** Number of the last look, and of the first one that may be acted on. */
  #lastLook = 0
  #fromLook: number
  #firstTarget: { readonly epoch: number; readonly seqNo: number } | undefined

  /** @param looksBegun so many looks may not yet know what the cursor knows. */
  constructor(key: string, partition: number, state: Capture, looksBegun: number) {
    this.key = key
    this.partition = partition
    this.#idle = state
    this.#durable = state.cursor
    this.#fromLook = looksBegun + 1
  }

  /** With all that was told. */
  get state(): Capture {
    return this.#told.reduce(tell, this.#scan?.state ?? this.#idle)
  }

  get cursor(): Cursor {
    const { unsaved, cursor } = this.state
    return unsaved ? this.#durable : cursor
  }

  get isScanning(): boolean {
    return this.#scan !== undefined
  }

  get view(): ShardView | undefined {
    return this.#view
  }

  /**
   * What may be acted on: the answers of a look that began after the last scan had ended. An earlier one knows too low a
   * number as the end of the window that the scan left open, and a rewind would miss documents.
   */
  get seen(): ShardView | undefined {
    return this.#seen
  }

  /** Its index does not exist. */
  get isMissing(): boolean {
    return this.#missingSinceMs !== undefined
  }

  /** Its index has been missing for the grace time and its epoch is dead, as no other poller has denied since. */
  get isGone(): boolean {
    return this.#isDead && this.state.outrankedBy.length === 0
  }

  /** Nothing of it is left to be deleted: its cursor is taken out of `.cursors`, and must not be written again. */
  get isBuried(): boolean {
    return this.isGone && this.cursor.deadEpochs.length === 0
  }

  /** A cursor that another poller outranks would hide the epoch that is above it. */
  get isToBeSaved(): boolean {
    const { unsaved, outrankedBy } = this.state
    return this.mustSave && this.isKnown && !unsaved && outrankedBy.length === 0 && !this.isBuried
  }

  /** It was seen or saved once: what has neither can be forgotten without a word. */
  get isKnown(): boolean {
    return this.cursor.identity.indexUuid !== ''
  }

  get hasCompletedFirstScan(): boolean {
    const { epoch, seqNo } = this.cursor
    return this.#isClosed || (this.#firstTarget?.epoch === epoch && seqNo >= this.#firstTarget.seqNo)
  }

  mayTry(nowMs: number): boolean {
    return !this.isScanning && nowMs >= (this.failure?.notBeforeMs ?? 0)
  }

  /** Nothing can be done before another look. */
  needsLook(nowMs: number): boolean {
    return this.mayTry(nowMs) && this.#lastLook < this.#fromLook
  }

  /** A cursor that does not know its cluster, such as one of version 1, learns it where its index is. */
  belongsTo(clusterUuid: string): void {
    const inCluster = (cursor: Cursor) => (cursor.clusterUuid === '' ? { ...cursor, clusterUuid } : cursor)
    if (this.isScanning) return
    this.#idle = { ...this.#idle, cursor: inCluster(this.#idle.cursor) }
    this.#durable = inCluster(this.#durable)
  }

  /** @param look number of the look, from 1 */
  see(view: ShardView, look: number): void {
    this.#lastLook = look
    this.#view = isSamePrimary(view.identity, this.cursor.identity) ? view : undefined
    this.#isClosed = false
    this.#missingSinceMs = undefined
    this.#isDead = false
    this.#seen = look >= this.#fromLook && !this.isScanning ? view : undefined
    const { epoch, identity } = this.cursor
    // A look that began too early may show what was there before a restore, which need never come again.
    if (isSameHistory(view.identity, identity) && this.#firstTarget?.epoch !== epoch)
      this.#firstTarget = { epoch, seqNo: view.globalCheckpoint }
  }

  /** Its primary cannot be read, or its index is closed, or missing. */
  loseSight(why: 'unreadable' | 'closed' | 'missing', look: number, nowMs: number): void {
    this.#lastLook = look
    this.#view = undefined
    this.#seen = undefined
    this.#isClosed = why === 'closed'
    if (why !== 'missing') this.#isDead = false
    this.#missingSinceMs = why === 'missing' ? (this.#missingSinceMs ?? nowMs) : undefined
  }

  /** Its index has been missing for the grace time, and its epoch is not yet dead. */
  isDying(nowMs: number, graceMs: number): boolean {
    if (this.isGone || this.#missingSinceMs === undefined || !this.mayTry(nowMs)) return false
    return nowMs - this.#missingSinceMs >= graceMs
  }

  /** The death of its epoch is on disk. */
  dies(): void {
    this.#isDead = this.isMissing
  }

  fails(error: unknown, nowMs: number): void {
    const attempts = this.failure?.attempts ?? 0
    const notBeforeMs = nowMs + delayMs(BACK_OFF, attempts, Math.random)
    this.failure = { attempts: attempts + 1, error, notBeforeMs }
  }

  /** Takes a decision that has no effect left to perform, such as a window that has closed. */
  accept(state: Capture): void {
    this.#seen = undefined
    this.#idle = state
    if (!state.unsaved) this.#durable = state.cursor
  }

  tell(event: Told): void {
    this.#told.push(event)
    this.#fromLook = Math.max(this.#fromLook, this.#lastLook + 1)
    if (!this.isScanning) this.#settle(this.#idle)
  }

  /** @param stop of the scan, for when it is no longer ours to do */
  beginScan(scan: RunningScan, stop: AbortController): void {
    this.#scan = scan
    this.#stop = stop
    this.#seen = undefined
  }

  /** @param looksBegun none of these looks knows what the scan has left behind. */
  endScan(state: Capture, looksBegun: number): void {
    this.#scan = undefined
    this.#stop = undefined
    this.#fromLook = looksBegun + 1
    this.#settle(state)
  }

  /** The partition is lost, or another poller has gone on with the shard. */
  stopScan(): void {
    this.#stop?.abort()
  }

  #settle(state: Capture): void {
    const next = this.#told.reduce(tell, state)
    this.#told.length = 0
    this.accept(next)
  }
}
