import { appendFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { systemClock } from '@freshet/stage/clock.ts'
import { lookAtProcesses } from './processes.ts'
import type { Phase, SoakRow } from './row.ts'
import type { SoakWorld } from './world.ts'
import type { BulkWriter } from './writer.ts'

const EVERY_MS = 10_000

/** Looks at everything every 10 s, and whenever a phase ends; keeps each look as a line of a file. */
export class Observer implements AsyncDisposable {
  readonly rows: SoakRow[] = []
  readonly #parts: { world: SoakWorld; writer: BulkWriter; file: string; report: (line: string) => void }
  readonly #beganMs = performance.now()
  readonly #stop = new AbortController()
  readonly #work: Promise<void>
  #phase: Phase = 'load'

  constructor(parts: { world: SoakWorld; writer: BulkWriter; file: string; report: (line: string) => void }) {
    this.#parts = parts
    this.#work = this.#watch()
  }

  /** Ends a phase with a last row of it, and begins the next. */
  async enter(phase: Phase): Promise<void> {
    await this.look()
    this.#phase = phase
  }

  async look(): Promise<void> {
    const row = await this.#row()
    this.rows.push(row)
    appendFileSync(this.#parts.file, `${JSON.stringify(row)}\n`)
    this.#parts.report(lineOf(row))
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop
    for (;;) {
      await systemClock.sleep(EVERY_MS, signal)
      if (signal.aborted) return
      // One that fails is told and left out; the next is near, and what ends a phase is not taken here.
      await this.look().catch((error: unknown) => this.#parts.report(`no row: ${error}`))
    }
  }

  async #row(): Promise<SoakRow> {
    const { world, writer } = this.#parts
    const { pulse, samples, doors, redis, pids } = world
    const phase = this.#phase
    const [info, keys, snapshot] = await Promise.all([redis.info('memory'), redis.dbsize(), world.snapshot()])
    return {
      atSeconds: Math.round((performance.now() - this.#beganMs) / 100) / 10,
      phase,
      loadAverage: Math.round(loadavg()[0]! * 10) / 10,
      written: { ...writer.written },
      changes: pulse.metric('freshet.poller.changes'),
      scored: pulse.metric('freshet.scorer.scored'),
      tombstones: pulse.metric('freshet.sweep.tombstones'),
      cached: pulse.metric('freshet.cache.rows'),
      snapshot: { ...snapshot, gatewayKeys: pulse.metric('freshet.gateway.snapshot.keys') },
      waitingSeconds: Math.round(samples.waitingSeconds * 100) / 100,
      lag: Object.fromEntries(
        pulse.lag.map(({ worker, lagRecords, lagSeconds }) => [
          worker,
          { records: lagRecords, seconds: Math.round(lagSeconds * 10) / 10 },
        ]),
      ),
      behind: pulse.metric('freshet.poller.behind'),
      redis: { bytes: Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? 0), keys },
      s3: Object.fromEntries([...doors].map(([name, door]) => [name, door.traffic])),
      freshnessMs: samples.take().map(Math.round),
      neverFresh: samples.never,
      processes: lookAtProcesses(pids),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#work
  }
}

function lineOf(row: SoakRow): string {
  const { atSeconds, phase, written, cached, snapshot, waitingSeconds, lag, processes } = row
  const memory = Object.entries(processes).map(([name, { rssMiB }]) => `${name} ${Math.round(rssMiB)}`)
  return [
    `${atSeconds.toFixed(0).padStart(5)} s ${phase.padEnd(6)}`,
    `${written.creates} new, ${written.updates} updated, ${written.deletes} deleted`,
    `cached ${cached}, snapshot ${snapshot.rows} rows in ${snapshot.files} files`,
    `waits ${waitingSeconds.toFixed(1)} s, lag ${Object.entries(lag)
      .map(([name, { records }]) => `${name} ${records}`)
      .join(' ')}`,
    `MiB ${memory.join(' ')}; load ${row.loadAverage}`,
  ].join(' | ')
}
