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

/** A tick of a timer that came late; times as wall-clock milliseconds with fractions. */
interface LateTick {
  readonly dueMs: number
  readonly lateMs: number
  /** Of the time since the tick before: ready to run, but no core was free. */
  readonly waitedMs: number
}

const TICK_MS = 1
const NOTABLE_MS = 1

export class LoopDelays implements AsyncDisposable {
  readonly #control: ChildProcess
  /** A signal to the whole group of processes ends it before us. */
  readonly #ended: Promise<never>
  readonly #here = new Ticks()

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
    const own = here.filter((tick) => !control.some((other) => areAtOneTime(tick, other)))
    return {
      here: delayOf(here),
      control: delayOf(control),
      own: stallsOf(own.map(({ lateMs, waitedMs }) => lateMs - waitedMs)),
      ownAndWaiting: stallsOf(own.map(({ lateMs }) => lateMs)),
    }
  }

  async #ask(): Promise<readonly LateTick[]> {
    if (this.#control.connected) this.#control.send('since the last time')
    return (await Promise.race([once(this.#control, 'message'), this.#ended]))[0] as readonly LateTick[]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#here[Symbol.dispose]()
    if (this.#control.connected) this.#control.disconnect()
    await this.#ended.catch(() => {})
  }
}

class Ticks implements Disposable {
  #ticks: LateTick[] = []
  #lastMs = performance.now()
  readonly #waits = new WaitsForCore()
  readonly #timer = setInterval(() => {
    const nowMs = performance.now()
    const dueMs = this.#lastMs + TICK_MS
    this.#ticks.push({
      dueMs: performance.timeOrigin + dueMs,
      lateMs: Math.max(0, nowMs - dueMs),
      waitedMs: this.#waits.takeMs(),
    })
    this.#lastMs = nowMs
  }, TICK_MS)

  take(): readonly LateTick[] {
    const ticks = this.#ticks
    this.#ticks = []
    return ticks
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#waits[Symbol.dispose]()
  }
}

/** How long the main thread was ready to run and had to wait, as Linux tells; elsewhere always 0. */
class WaitsForCore implements Disposable {
  readonly #file =
    process.platform === 'linux' ? openSync(`/proc/self/task/${process.pid}/schedstat`, 'r') : undefined
  readonly #text = Buffer.alloc(64)
  #lastMs = 0

  /** Since the last time. */
  takeMs(): number {
    if (this.#file === undefined) return 0
    const text = this.#text.toString('latin1', 0, readSync(this.#file, this.#text, 0, 64, 0))
    const beforeMs = this.#lastMs
    this.#lastMs = Number(text.split(' ')[1]) / 1e6
    return this.#lastMs - beforeMs
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file)
  }
}

function areAtOneTime(a: LateTick, b: LateTick): boolean {
  return b.lateMs > NOTABLE_MS && a.dueMs < b.dueMs + b.lateMs && b.dueMs < a.dueMs + a.lateMs
}

function stallsOf(heldMs: readonly number[]): Stalls {
  return { longestMs: Math.max(0, ...heldMs), over5Ms: heldMs.filter((ms) => ms > 5).length }
}

function delayOf(ticks: readonly LateTick[]): LoopDelay {
  const sorted = ticks.map(({ lateMs }) => lateMs).toSorted((a, b) => a - b)
  return { longestMs: sorted.at(-1) ?? 0, p999Ms: sorted[Math.floor(sorted.length * 0.999)] ?? 0 }
}

if (process.send !== undefined && import.meta.main) {
  const ticks = new Ticks()
  process.on('message', () => process.send!(ticks.take()))
  process.on('disconnect', () => ticks[Symbol.dispose]())
  process.send('ready')
}
