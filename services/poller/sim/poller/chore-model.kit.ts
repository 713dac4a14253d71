import type { Capture } from '../../capture/capture-state.ts'
import type { RunningScan } from '../../sharing/held-shard.ts'
import { type Flight, land, type Process, type Task } from './process.kit.ts'

/** A cursor is written between scans, as shard-chores.ts does. */
export class ChoreModel implements RunningScan, Task {
  readonly key: string
  readonly state: Capture
  readonly #process: Process
  readonly #onOver: (isSaved: boolean) => void
  #flights: readonly Flight[]

  /** @param written what is to be on disk; `state` is what is known meanwhile. */
  constructor(
    process: Process,
    key: string,
    { state, written }: { state: Capture; written: Capture },
    onOver: (isSaved: boolean) => void,
  ) {
    this.#process = process
    this.key = key
    this.state = state
    this.#onOver = onOver
    const { cursor } = written
    const isSlow = process.chance.happens(0.1)
    this.#flights = [{ task: this, effect: { kind: 'save', cursor }, page: [], cursor, isSlow }]
  }

  get flights(): readonly Flight[] {
    return this.#flights
  }

  complete(flight: Flight): void {
    land(this.#process, flight)
    this.#flights = []
    this.#onOver(true)
  }

  fail(flight: Flight, isDone: boolean): void {
    if (isDone) land(this.#process, flight)
    this.#flights = []
    this.#process.witness.failed(this.#process, flight, isDone)
    this.#onOver(false)
  }
}
