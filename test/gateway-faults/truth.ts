import { type Row, rowsOf } from '@freshet/ports/score-store.contract.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import type { Asked, Stall } from './load/generator.ts'
import { monotonicMs } from './load/monotonic.ts'

/** Keys of which Redis and the snapshot have scores, */
export const IN_BOTH = 900
/** and those that follow, which only the snapshot has. */
export const KEYS = 1_000
/** A read may have joined one that began so much earlier (shared-reads.ts, and the clocks' last digits). */
const JOINED_MS = 11

/** What has been stored where and when, so that every answer can be held against it. */
export class Truth {
  /** By key: versions in Redis, and when Redis had taken each; null: nobody knows whether it has. */
  readonly #written = new Map<number, { version: number; ackedAtMs: number | null }[]>()
  /** When Redis has lost all. */
  readonly #losses: Stall[] = []
  #version = 1
  /** Of the snapshots, oldest first. */
  readonly snapshotVersions: number[] = []

  /** Rows of a version that is higher than all before. */
  next(numbers: readonly number[]): { version: number; rows: StoredRows } {
    const version = this.#version++
    return { version, rows: rowsOf(numbers.map((number) => rowOf(number, version))) }
  }

  wrote(numbers: readonly number[], version: number, ackedAtMs: number | null): void {
    for (const number of numbers) {
      const writes = this.#written.get(number)
      if (writes === undefined) this.#written.set(number, [{ version, ackedAtMs }])
      else writes.push({ version, ackedAtMs })
    }
  }

  /** Redis loses all while this is done: what it has taken before says nothing from then on. */
  async losesAll(loses: () => Promise<unknown>): Promise<void> {
    const fromMs = monotonicMs()
    await loses()
    this.#losses.push({ fromMs, toMs: monotonicMs() })
  }

  /** What Redis should hold, all of it, and what is to be called when it has taken it. */
  newest(): { rows: StoredRows; wrote: (ackedAtMs: number) => void } {
    const newest = [...this.#written].map(
      ([number, writes]) => [number, Math.max(...writes.map(({ version }) => version))] as const,
    )
    return {
      rows: rowsOf(newest.map(([number, version]) => rowOf(number, version))),
      wrote: (ackedAtMs) => {
        for (const [number, version] of newest) this.wrote([number], version, ackedAtMs)
      },
    }
  }

  /** What is wrong with a stored score that was answered; null: nothing. */
  faultOf(one: Asked): string | null {
    const { key, score, source, reason, sentAtMs } = one
    const number = numberOf(key)
    const version = versionIn(score, number)
    if (version === null) return `${key} got ${score}, which is none of its scores`
    const known = this.#knownTo(one, number)
    const older =
      known !== undefined && known.version > version
        ? `${key} got version ${version} from ${source} for ${reason}, ${known.version} was in Redis ${sentAtMs - known.ackedAtMs} ms before`
        : null
    if (source === 'snapshot') {
      if (!this.snapshotVersions.includes(version)) return `version ${version} is in no snapshot`
      return REDIS_WAS_HEARD.has(reason) ? older : null
    }
    const writes = this.#written.get(number) ?? []
    if (writes.every((write) => write.version !== version))
      return `version ${version} of ${key} was never written`
    return older
  }

  /** The newest that Redis had certainly taken when this was asked, and not lost before it was answered. */
  #knownTo(
    { sentAtMs, doneAtMs }: Asked,
    number: number,
  ): { version: number; ackedAtMs: number } | undefined {
    let known: { version: number; ackedAtMs: number } | undefined
    for (const { version, ackedAtMs } of this.#written.get(number) ?? []) {
      if (ackedAtMs === null || ackedAtMs >= sentAtMs - JOINED_MS || version < (known?.version ?? 0)) continue
      const isLost = this.#losses.some(({ fromMs, toMs }) => ackedAtMs <= toMs && fromMs < doneAtMs!)
      if (!isLost) known = { version, ackedAtMs }
    }
    return known
  }
}

/** Of an answer from the snapshot: what Redis has says it is older, or it has nothing. */
const REDIS_WAS_HEARD = new Set([null, 'cache_behind', 'cache_missing'])

/**
 * Versions from the snapshot never fall: what a key had when an answer was there, it has for whoever asks later.
 * @param asked in any order.
 */
export function fallsOfSnapshot(asked: readonly Asked[]): string[] {
  const falls: string[] = []
  const ofSnapshot = asked.filter(
    ({ source, status, pool }) => status === 200 && source === 'snapshot' && pool === null,
  )
  for (const [key, ofKey] of Map.groupBy(ofSnapshot, (one) => one.key)) {
    const done = ofKey.toSorted((a, b) => a.doneAtMs! - b.doneAtMs!)
    let [next, highest] = [0, 0]
    for (const one of ofKey.toSorted((a, b) => a.sentAtMs - b.sentAtMs)) {
      for (; next < done.length && done[next]!.doneAtMs! < one.sentAtMs; next++)
        highest = Math.max(highest, versionIn(done[next]!.score, numberOf(key)) ?? 0)
      const version = versionIn(one.score, numberOf(key))
      if (version !== null && version < highest)
        falls.push(`${key} got version ${version} from the snapshot after ${highest}`)
    }
  }
  return falls
}

/** Takes writes of some keys to Redis again and again, until it is stopped. */
export async function keepWriting(
  truth: Truth,
  merge: (rows: StoredRows, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    const numbers = Array.from({ length: 10 }, (_, i) => (round * 10 + i) % IN_BOTH)
    const { version, rows } = truth.next(numbers)
    const ackedAtMs = await merge(rows, AbortSignal.timeout(GIVE_UP_MS)).then(monotonicMs, () => null)
    truth.wrote(numbers, version, ackedAtMs)
    await new Promise((resolve) => setTimeout(resolve, WRITE_EVERY_MS))
  }
}

const WRITE_EVERY_MS = 20
const GIVE_UP_MS = 300

export function keyOf(number: number): string {
  return `flights/k-${number}`
}

function rowOf(number: number, version: number): Row {
  return { key: keyOf(number), seqNo: version, score: version * KEYS + number, asOfMs: Date.now() }
}

function numberOf(key: string | null): number {
  return Number(key?.slice('flights/k-'.length))
}

/** A score tells of which key and version it is. */
export function versionIn(score: number | null, number: number): number | null {
  if (score === null || score % KEYS !== number) return null
  return Math.floor(score / KEYS)
}
