import { type Row, rowsOf } from '@freshet/ports/score-store.contract.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import type { Asked } from './load/generator.ts'
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

  /** What Redis should hold, all of it. */
  newest(): StoredRows {
    return rowsOf(
      [...this.#written].map(([number, writes]) =>
        rowOf(number, Math.max(...writes.map(({ version }) => version))),
      ),
    )
  }

  /** What is wrong with a stored score that was answered; null: nothing. */
  faultOf({ key, score, source, sentAtMs }: Asked): string | null {
    const number = numberOf(key)
    const version = versionIn(score, number)
    if (version === null) return `${key} got ${score}, which is none of its scores`
    if (source === 'snapshot')
      return this.snapshotVersions.includes(version) ? null : `version ${version} is in no snapshot`
    const writes = this.#written.get(number) ?? []
    if (writes.every((write) => write.version !== version))
      return `version ${version} of ${key} was never written`
    const known = writes.findLast(({ ackedAtMs }) => ackedAtMs !== null && ackedAtMs < sentAtMs - JOINED_MS)
    if (known !== undefined && known.version > version)
      return `${key} got version ${version}, ${known.version} was in Redis ${sentAtMs - known.ackedAtMs!} ms before`
    return null
  }
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
