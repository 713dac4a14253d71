/** Captures every index of ours by timestamp, again and again: see progress.ts for what that promises. */
import { judgeIndices } from '@freshet/adapters/elasticsearch/judge-indices.ts'
import { readStats } from '@freshet/adapters/elasticsearch/shards-api.ts'
import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { cursorKey } from '@freshet/records/cursor.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import { BACK_OFF, isOfIndex, isWorthWaiting } from '../capture/failures.ts'
import type { CaptureWorld } from '../capture/world.ts'
import type { IndexCapture } from './index-capture.ts'
import { IndexWatch } from './index-watch.ts'
import { type HeldIndex, openCapture } from './open-capture.ts'
import { StateWatch } from './state-watch.ts'
import type { TimestampTable } from './timestamp-table.ts'

const MAX_INDICES_AT_ONCE = 4

/** How it goes with an index of ours. */
interface Course {
  capture: IndexCapture | undefined
  poll: Promise<void> | undefined
  /** Polls that failed in a row, and the last error. */
  failures: number
  error: unknown
  notBeforeMs: number
  /** Who has waited longest is next. */
  lastTurn: number
}

export class TimestampLoop {
  readonly #world: CaptureWorld
  readonly #table: TimestampTable
  readonly #watch: IndexWatch
  readonly #states: StateWatch
  /** By key of the cursor. */
  readonly #courses = new Map<string, Course>()
  #turn = 0
  #fatal: unknown

  constructor(world: CaptureWorld, table: TimestampTable) {
    const { client, settings, telemetry, clock, signal } = world
    this.#world = world
    this.#table = table
    this.#watch = new IndexWatch(() => judgeIndices(client, settings.elasticsearch, signal), telemetry, clock)
    this.#states = new StateWatch(
      () => readStats(client, settings.elasticsearch.index, signal),
      telemetry.log,
    )
  }

  /**
   * Works until `signal` of the world aborts; what was read by then is still sent.
   * @throws errors that a retry cannot help, unless they are of one index only
   */
  async run(): Promise<void> {
    const { settings, clock, signal } = this.#world
    let failedLooks = 0
    while (!signal.aborted && this.#fatal === undefined) {
      const hasLooked = await this.#look()
      failedLooks = hasLooked ? 0 : failedLooks + 1
      if (hasLooked) await this.#work()
      const { pollIntervalMs } = settings.elasticsearch
      await clock.sleep(hasLooked ? pollIntervalMs : delayMs(BACK_OFF, failedLooks, Math.random), signal)
    }
    const courses = [...this.#courses.values()]
    for (const { capture } of courses) capture?.stop()
    await Promise.all(courses.map(({ poll }) => poll))
    if (this.#fatal !== undefined) throw this.#fatal
  }

  /** @returns whether it is known which indices there are */
  async #look(): Promise<boolean> {
    const { signal, report } = this.#world
    try {
      await this.#watch.look()
      return true
    } catch (error) {
      if (signal.aborted) return false
      if (!isWorthWaiting(error)) this.#fatal = error
      report.failing('capture', error)
      return false
    }
  }

  async #work(): Promise<void> {
    const { clock, signal } = this.#world
    const states = await this.#states.look(signal)
    const held = this.#heldIndices()
    this.#leaveOthers(held)
    const due = held
      .map((index) => ({ index, course: this.#courseOf(index) }))
      .filter(({ course }) => course.poll === undefined && clock.nowMs() >= course.notBeforeMs)
      .toSorted((a, b) => a.course.lastTurn - b.course.lastTurn)
    const running = [...this.#courses.values()].filter(({ poll }) => poll !== undefined).length
    this.#turn++
    for (const { index, course } of due.slice(0, MAX_INDICES_AT_ONCE - running)) {
      course.lastTurn = this.#turn
      course.poll = this.#poll(index, course, states.get(index.name))
        .catch((bug: unknown) => {
          this.#fatal ??= bug
        })
        .finally(() => {
          course.poll = undefined
        })
    }
    this.#tellHealth()
  }

  #heldIndices(): readonly HeldIndex[] {
    return this.#watch
      .capturable()
      .flatMap(({ name, description }) =>
        description === null
          ? []
          : { key: cursorKey(description.uuid, 0), name, uuid: description.uuid, shards: description.shards },
      )
      .filter(({ key }) => this.#table.holds(key))
  }

  /** An index that is no more, or another poller's: whoever gets it goes on from what is stored. */
  #leaveOthers(held: readonly HeldIndex[]): void {
    const keys = new Set(held.map(({ key }) => key))
    for (const [key, course] of this.#courses) {
      if (keys.has(key)) continue
      course.capture?.stop()
      course.capture = undefined
      if (course.poll === undefined) this.#courses.delete(key)
    }
  }

  #courseOf({ key }: HeldIndex): Course {
    const there = this.#courses.get(key)
    if (there !== undefined) return there
    const none = { capture: undefined, poll: undefined, error: undefined }
    const course: Course = { ...none, failures: 0, notBeforeMs: 0, lastTurn: 0 }
    this.#courses.set(key, course)
    return course
  }

  async #poll(index: HeldIndex, course: Course, state: string | undefined): Promise<void> {
    const { clock, signal, telemetry } = this.#world
    try {
      course.capture = await openCapture(this.#world, this.#table, index, course.capture)
      await course.capture.poll(state)
      course.failures = 0
    } catch (error) {
      if (signal.aborted || !this.#table.holds(index.key)) return
      if (!isOfIndex(error)) this.#fatal = error
      course.error = error
      course.notBeforeMs = clock.nowMs() + delayMs(BACK_OFF, course.failures++, Math.random)
      telemetry.log.warn(`capture of ${index.name} is tried again: ${toFreshetError(error).message}`)
    }
  }

  #tellHealth(): void {
    const { report, telemetry } = this.#world
    const courses = [...this.#courses.values()]
    telemetry.metrics.set('freshet.poller.shards', courses.length)
    const failing = courses.find(({ failures }) => failures > 0)
    const refusals = this.#watch.refusals()
    if (failing !== undefined) report.failing('capture', failing.error)
    else if (refusals.length > 0)
      report.failing('capture', new FreshetError('INDEX_NOT_CAPTURABLE', refusals.join('; ')))
    else report.running('capture')
  }
}
