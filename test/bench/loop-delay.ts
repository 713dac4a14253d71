/** How long an event loop was held, here and at the same time in a process that does nothing else: the machine's own part. */
import { Buffer } from 'node:buffer'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readSync } from 'node:fs'

export interface LoopDelay {
  readonly longestMs: number
  readonly p999Ms: number
}

export interface LoopDelaysOfBoth {
  readonly here: LoopDelay
  readonly control: LoopDelay
  /** While the control was not held for more than 1 ms, and less what the thread waited for a core: what is the loop's own. */
  readonly own: Stalls
  /** The same with the time for which it waited, which others on these cores took, our own other threads among them. */
  readonly ownAndWaiting: Stalls
}

interface Stalls {
  readonly longestMs: number
  readonly over5Ms: number
}

/**
 * Of each tick of a timer, by its number: when it was due, as wall-clock milliseconds with fractions; by how much it came late,
 * and for how long of the time since the tick before the thread was ready to run while no core was free. Columns of numbers:
 * a measurement that leaves garbage is stopped by its collection, and tells of itself.
 */
interface Ticks {
  readonly dueMs: number[]
  readonly lateMs: number[]
  readonly waitedMs: number[]
}

const TICK_MS = 1
const NOTABLE_MS = 1

export class LoopDelays implements AsyncDisposable {
  readonly #control: ChildProcess
  /** A signal to the whole group of processes ends it before us. */
  readonly #ended: Promise<never>
  readonly #here = new Ticking()

  private constructor(control: ChildProcess) {
    this.#control = control
    this.#ended = once(control, 'exit').then(() => {
      throw new Error('the process that is measured beside has ended')
    })
    this.#ended.catch(() => {})
  }

  static async start(): Promise<LoopDelays> {
    const control = fork(import.meta.filename, { execArgv: [] })
    await once(control, 'message')
    return new LoopDelays(control)
  }

  async during(work: () => Promise<void>): Promise<LoopDelaysOfBoth> {
    await this.#ask()
    this.#here.take()
    await work()
    const here = this.#here.take()
    const control = await this.#ask()
    const own = ticksApart(here, control)
    return {
      here: delayOf(here),
      control: delayOf(control),
      own: stallsOf(own.map((tick) => here.lateMs[tick]! - here.waitedMs[tick]!)),
      ownAndWaiting: stallsOf(own.map((tick) => here.lateMs[tick]!)),
    }
  }

  async #ask(): Promise<Ticks> {
    if (this.#control.connected) this.#control.send('since the last time')
    return (await Promise.race([once(this.#control, 'message'), this.#ended]))[0] as Ticks
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#here[Symbol.dispose]()
    if (this.#control.connected) this.#control.disconnect()
    await this.#ended.catch(() => {})
  }
}

class Ticking implements Disposable {
  #ticks = noTicks()
  #lastMs = performance.now()
  readonly #waits = new WaitsForCore()
  readonly #timer = setInterval(() => {
    const nowMs = performance.now()
    const dueMs = this.#lastMs + TICK_MS
    this.#ticks.dueMs.push(performance.timeOrigin + dueMs)
    this.#ticks.lateMs.push(Math.max(0, nowMs - dueMs))
    this.#ticks.waitedMs.push(this.#waits.takeMs())
    this.#lastMs = nowMs
  }, TICK_MS)

  take(): Ticks {
    const ticks = this.#ticks
    this.#ticks = noTicks()
    return ticks
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#waits[Symbol.dispose]()
  }
}

function noTicks(): Ticks {
  return { dueMs: [], lateMs: [], waitedMs: [] }
}

/** How long the main thread was ready to run and had to wait, as Linux tells; elsewhere always 0. */
class WaitsForCore implements Disposable {
  readonly #file =
    process.platform === 'linux' ? openSync(`/proc/self/task/${process.pid}/schedstat`, 'r') : undefined
  readonly #text = Buffer.alloc(64)
  #lastMs = 0

  /** Since the last time. The file has nanoseconds of running, then those of waiting. */
  takeMs(): number {
    if (this.#file === undefined) return 0
    readSync(this.#file, this.#text, 0, this.#text.length, 0)
    const beforeMs = this.#lastMs
    this.#lastMs = this.#numberAt(this.#text.indexOf(SPACE) + 1) / 1e6
    return this.#lastMs - beforeMs
  }

  #numberAt(from: number): number {
    let number = 0
    for (let at = from, byte: number; (byte = this.#text[at]!) !== SPACE; at++)
      number = number * 10 + byte - ZERO
    return number
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file)
  }
}

const SPACE = ' '.charCodeAt(0)
const ZERO = '0'.charCodeAt(0)

/** Numbers of those ticks that do not fall together with a notable one of the other. */
function ticksApart(here: Ticks, other: Ticks): number[] {
  const notable = numbersOf(other).filter((tick) => other.lateMs[tick]! > NOTABLE_MS)
  const endMs = ({ dueMs, lateMs }: Ticks, tick: number) => dueMs[tick]! + lateMs[tick]!
  return numbersOf(here).filter(
    (tick) =>
      !notable.some((at) => here.dueMs[tick]! < endMs(other, at) && other.dueMs[at]! < endMs(here, tick)),
  )
}

function numbersOf({ dueMs }: Ticks): number[] {
  return [...dueMs.keys()]
}

function stallsOf(heldMs: readonly number[]): Stalls {
  const longestMs = heldMs.reduce((most, ms) => Math.max(most, ms), 0)
  return { longestMs, over5Ms: heldMs.filter((ms) => ms > 5).length }
}

function delayOf({ lateMs }: Ticks): LoopDelay {
  const sorted = lateMs.toSorted((a, b) => a - b)
  return { longestMs: sorted.at(-1) ?? 0, p999Ms: sorted[Math.floor(sorted.length * 0.999)] ?? 0 }
}

if (process.send !== undefined && import.meta.main) {
  const ticks = new Ticking()
  process.on('message', () => process.send!(ticks.take()))
  process.on('disconnect', () => ticks[Symbol.dispose]())
  process.send('ready')
}
