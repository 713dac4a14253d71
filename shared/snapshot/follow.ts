import { type ErrorCode, isFreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { readManifest } from './manifest.ts'
import type { SnapshotHolder } from './snapshot-holder.ts'

export interface FollowStatus {
  /** `loading`: not all of a first manifest is held. `unavailable`: the last look failed; what is held stays. */
  readonly state: 'loading' | 'following' | 'unavailable'
  /** Of the manifest that is held; 0 before the first. */
  readonly sequence: number
  /** Of the manifest that was seen last; above `sequence` while its files are loaded, or cannot be. */
  readonly seenSequence: number
  /** When the manifest that is held was written, wall-clock milliseconds; 0 before the first. */
  readonly writtenAtMs: number
  /** When the store was last found to hold nothing that is not held; 0 before the first time. */
  readonly loadedAtMs: number
}

/** A store that is back is to be read within 5 s; a look costs it one small request. */
const BACK_OFF = { firstMs: 250, maxMs: 2_000 }
/** A file that is damaged or gone is put back by people, and each look reads all of it. */
const BACK_OFF_OF_FILES = { firstMs: 250, maxMs: 30_000 }
const FAULTS_OF_FILES: ReadonlySet<string> = new Set<ErrorCode>([
  'SNAPSHOT_FILE_MISSING',
  'SNAPSHOT_CORRUPT',
  'RECORD_VERSION',
])

export interface FollowerParts {
  readonly store: ObjectStore
  readonly pipeline: string
  readonly holder: SnapshotHolder
  /** Pause between two looks at the manifest. */
  readonly everyMs: number
  readonly clock: Clock
  readonly log: Log
  /** After each look: what it met, undefined when all went well. */
  readonly onLook?: (fault: unknown) => void
}

/** Keeps a holder at the newest snapshot. Whatever was taken before a failure stays. */
export class SnapshotFollower {
  readonly #parts: FollowerParts
  #status: FollowStatus = { state: 'loading', sequence: 0, seenSequence: 0, writtenAtMs: 0, loadedAtMs: 0 }
  /** Of the manifest that is held. A bucket that was put back may count to the same sequence again. */
  #etag: string | undefined

  constructor(parts: FollowerParts) {
    this.#parts = parts
  }

  get status(): FollowStatus {
    return this.#status
  }

  /**
   * Follows until `signal` aborts. For what the store does it looks again, ever more patiently.
   * @throws CONFIG_INVALID when the snapshot is another pipeline's
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, everyMs, log } = this.#parts
    let failures = 0
    let backOff = BACK_OFF
    while (!signal.aborted) {
      try {
        await this.#look(signal)
        failures = 0
        this.#parts.onLook?.(undefined)
      } catch (error) {
        if (signal.aborted) return
        if (isFreshetError(error, 'CONFIG_INVALID')) throw error
        // A merge may replace a file between our look at the manifest and our read of it: look again, it is no failure.
        if (isFreshetError(error, 'SNAPSHOT_FILE_MISSING') && failures === 0) {
          failures++
          continue
        }
        backOff = FAULTS_OF_FILES.has(toFreshetError(error).code) ? BACK_OFF_OF_FILES : BACK_OFF
        if (failures++ === 0 || this.#status.state !== 'unavailable') log.error('snapshot unavailable', error)
        this.#status = { ...this.#status, state: 'unavailable' }
        this.#parts.onLook?.(error)
      }
      await clock.sleep(failures === 0 ? everyMs : delayMs(backOff, failures - 1, Math.random), signal)
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { clock, store, pipeline, log, holder } = this.#parts
    const stored = await readManifest(store, pipeline, signal)
    if (stored !== undefined && stored.etag !== this.#etag) {
      const { manifest, etag } = stored
      const { sequence, writtenAtMs } = manifest
      if (sequence < this.#status.sequence)
        log.warn(`the snapshot went back from ${this.#status.sequence} to ${sequence}: newer scores stay`)
      this.#status = { ...this.#status, seenSequence: sequence }
      const rows = await holder.take(manifest, signal)
      log.info(`snapshot ${sequence} loaded: ${rows} rows read`)
      this.#status = { ...this.#status, sequence, writtenAtMs }
      this.#etag = etag
    }
    this.#status = { ...this.#status, state: 'following', loadedAtMs: clock.nowMs() }
    holder.tidy(clock.nowMs())
  }
}
