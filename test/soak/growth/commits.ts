/**
 * Many writers and one manifest: each reads it, puts its own partitions in, and puts it back if nobody else has done so
 * meanwhile. By a simulated clock, with the waits of `commitManifest`.
 */
import { COMMIT_BACK_OFF, MAX_COMMIT_FAILURES } from '@freshet/snapshot/manifest-commit.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import { seeded } from '@freshet/stage/seeded.ts'

export interface CommitOptions {
  readonly hours: number
  readonly writers: number
  /** Between two commits of a writer: deltas and merges. */
  readonly everySeconds: number
  /** From the call until the manifest is read as it stands. */
  readonly readMs: number
  /** From there until it was put. */
  readonly putMs: number
  readonly seed: number
}

export interface Commits {
  readonly commits: number
  /** Reads and puts that a commit took; 1 where nobody was in the way. */
  readonly attemptsACommit: number
  /** From the first read until it was put. */
  readonly longestSeconds: number
  /** Of all commits, those that others were in the way of so often that the writer gave up, and began anew later. */
  readonly givenUpShare: number
  /** Commits that were made, of those that should have been made. */
  readonly keptUpShare: number
}

interface Writer {
  dueMs: number
  beganMs: number
  failures: number
  readVersion: number
}

export function simulateCommits(options: CommitOptions): Commits {
  const { hours, writers, everySeconds, readMs, putMs, seed } = options
  const random = seeded(seed)
  const endMs = hours * 3_600_000
  const everyMs = everySeconds * 1_000
  const timeline = new Timeline()
  let version = 0
  let commits = 0
  let attempts = 0
  let longestMs = 0
  let givenUp = 0
  for (let i = 0; i < writers; i++)
    begin({ dueMs: random() * everyMs, beganMs: 0, failures: 0, readVersion: 0 })
  timeline.runUntil(endMs)
  return {
    commits,
    attemptsACommit: commits === 0 ? Number.POSITIVE_INFINITY : attempts / commits,
    longestSeconds: longestMs / 1_000,
    givenUpShare: givenUp / Math.max(1, commits),
    keptUpShare: Math.min(1, commits / ((writers * endMs) / everyMs)),
  }

  function begin(writer: Writer): void {
    timeline.at(writer.dueMs, (nowMs) => {
      writer.beganMs = nowMs
      read(writer, nowMs)
    })
  }

  function read(writer: Writer, nowMs: number): void {
    timeline.at(nowMs + readMs, (readAtMs) => {
      writer.readVersion = version
      timeline.at(readAtMs + putMs, (putAtMs) => put(writer, putAtMs))
    })
  }

  function put(writer: Writer, nowMs: number): void {
    attempts++
    if (writer.readVersion !== version) {
      again(writer, nowMs)
      return
    }
    version++
    commits++
    longestMs = Math.max(longestMs, nowMs - writer.beganMs)
    writer.failures = 0
    // Some jitter: writers do not keep step for ever.
    writer.dueMs = Math.max(nowMs, writer.dueMs + everyMs * (0.9 + 0.2 * random()))
    begin(writer)
  }

  function again(writer: Writer, nowMs: number): void {
    if (writer.failures === MAX_COMMIT_FAILURES) {
      givenUp++
      writer.failures = 0
    }
    timeline.at(nowMs + delayMs(COMMIT_BACK_OFF, writer.failures++, random), (at) => read(writer, at))
  }
}

/** What happens when, in order. */
class Timeline {
  readonly #heap: { readonly atMs: number; readonly act: (nowMs: number) => void }[] = []

  at(atMs: number, act: (nowMs: number) => void): void {
    const heap = this.#heap
    let child = heap.push({ atMs, act }) - 1
    for (let parent = (child - 1) >> 1; child > 0 && heap[parent]!.atMs > atMs; parent = (child - 1) >> 1) {
      this.#swap(child, parent)
      child = parent
    }
  }

  runUntil(endMs: number): void {
    for (let next = this.#take(); next !== undefined && next.atMs < endMs; next = this.#take())
      next.act(next.atMs)
  }

  #take() {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === first) return first
    heap[0] = last!
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1
      const least = [left, left + 1].reduce(
        (best, at) => (at < heap.length && heap[at]!.atMs < heap[best]!.atMs ? at : best),
        parent,
      )
      if (least === parent) return first
      this.#swap(parent, least)
      parent = least
    }
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap
    ;[heap[a], heap[b]] = [heap[b]!, heap[a]!]
  }
}
