/** Backends that ask the gateway at an even rate, and what excuses an answer that came late. */
import { judge, metStall, tooLate } from '../gateway-faults/judge.ts'
import type { ControlOrder, ControlReport, ThreadSample } from '../gateway-faults/load/control.ts'
import type { Asked, LoadOrder, LoadReport, Stall } from '../gateway-faults/load/generator.ts'
import { monotonicMs } from '../gateway-faults/load/monotonic.ts'
import { forked, type Helper } from '../gateway-faults/world.ts'

/** A gateway that goes on after it stood still first hears of all that callers have sent meanwhile. */
const AFTER_STANDING_MS = 250

export interface CallerReport {
  readonly requests: number
  readonly inTime: number
  /** Asked while the gateway was killed, ended or stood still. */
  readonly whileDown: number
  /** Late, and a process that does nothing else was kept from running at the same moment. */
  readonly lateByTheMachine: number
  /** When these were asked, in milliseconds since 1970. */
  readonly lateByTheMachineAtMs: readonly number[]
  /** Late or unanswered without an excuse. */
  readonly late: readonly Late[]
  /** Told at once that it is too much (503), while the gateway was there and the machine ran. */
  readonly refused: number
  /** Neither a score nor "unknown" nor a refusal. */
  readonly errors: readonly Asked[]
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly bySource: Readonly<Record<string, number>>
}

interface Late extends Asked {
  /** What the gateway's threads did meanwhile; null where nobody looked, or it never came. */
  readonly meanwhile: Omit<ThreadSample, 'atMs'> | null
}

/** One load, watched by a control process in each life of the gateway. */
export class Callers implements AsyncDisposable {
  readonly #generator: Helper = forked(new URL('../gateway-faults/load/generator.ts', import.meta.url).href)
  readonly #stalls: Stall[] = []
  readonly #down: Stall[] = []
  readonly #samples: ThreadSample[] = []
  #asked: Promise<LoadReport> | undefined
  #control: Helper | undefined
  #downSinceMs: number | undefined
  #watching: Promise<void> = Promise.resolve()

  async begin(order: LoadOrder, gatewayPid: number): Promise<void> {
    await this.#watch(gatewayPid)
    this.#generator.child.send(order)
    await this.#generator.says()
    this.#asked = this.#generator.says<LoadReport>()
    this.#asked.catch(() => {}) // told when it is asked for
  }

  /** Killed, asked to end, or made to stand still. */
  gatewayDown(): void {
    this.#downSinceMs ??= monotonicMs()
  }

  /** Begun anew: it is watched before anybody can ask it. */
  gatewayBegins(pid: number): void {
    if (this.#asked === undefined) return // the load begins later, and with it the watch
    this.#watching = this.#watching.then(async () => {
      await this.#unwatch()
      await this.#watch(pid)
    })
    this.#watching.catch(() => {}) // told when it is awaited
  }

  /** It listens, or goes on. */
  async gatewayUp(): Promise<void> {
    await this.#watching
    if (this.#downSinceMs !== undefined)
      this.#down.push({ fromMs: this.#downSinceMs, toMs: monotonicMs() + AFTER_STANDING_MS })
    this.#downSinceMs = undefined
  }

  /** Resolves when the load is over. */
  async report(): Promise<CallerReport> {
    const { asked, stalls } = await this.#asked!
    await this.#watching
    await this.#unwatch()
    const down = [...this.#down]
    if (this.#downSinceMs !== undefined) down.push({ fromMs: this.#downSinceMs, toMs: monotonicMs() })
    return reportOf(asked, {
      down,
      stalls: [...stalls, ...this.#stalls],
      samples: this.#samples,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#generator[Symbol.asyncDispose]()
    await this.#control?.[Symbol.asyncDispose]()
  }

  async #watch(gatewayPid: number): Promise<void> {
    this.#control = forked(new URL('../gateway-faults/load/control.ts', import.meta.url).href)
    const order: ControlOrder = { gatewayPid, generatorPid: this.#generator.child.pid! }
    this.#control.child.send(order)
    await this.#control.says()
  }

  async #unwatch(): Promise<void> {
    const control = this.#control
    if (control === undefined) return
    this.#control = undefined
    const told = control.says<ControlReport>()
    control.child.send('stop')
    const { stalls, samples } = await told
    this.#stalls.push(...stalls)
    for (const sample of samples) this.#samples.push(sample)
    await control[Symbol.asyncDispose]()
  }
}

export function reportOf(
  asked: readonly Asked[],
  {
    down,
    stalls,
    samples,
  }: { down: readonly Stall[]; stalls: readonly Stall[]; samples: readonly ThreadSample[] },
): CallerReport {
  const there = asked.filter((one) => !down.some((time) => overlaps(one, time)))
  const { inTime, late, p50Ms, p99Ms, maxMs, bySource } = judge(there, stalls)
  const inexcusable = late.filter((one) => !metStall(one, stalls))
  const excused = tooLate(there).filter((one) => !inexcusable.includes(one))
  return {
    requests: asked.length,
    inTime,
    whileDown: asked.length - there.length,
    lateByTheMachine: excused.length,
    lateByTheMachineAtMs: excused.map(({ sentAtMs }) => Math.round(sentAtMs + Date.now() - monotonicMs())),
    late: inexcusable.map((one) => ({ ...one, meanwhile: meanwhile(one, samples) })),
    refused: there.filter((one) => one.status === 503 && !metStall(one, stalls)).length,
    errors: there.filter(({ status }) => ![0, 200, 404, 503].includes(status)),
    ...{ p50Ms, p99Ms, maxMs, bySource },
  }
}

/** @param samples of one life of the gateway after the other */
function meanwhile({ sentAtMs, doneAtMs }: Asked, samples: readonly ThreadSample[]): Late['meanwhile'] {
  if (doneAtMs === null) return null
  const before = samples.findLast(({ atMs }) => atMs <= sentAtMs)
  const after = samples.find(({ atMs }) => atMs >= doneAtMs)
  if (before === undefined || after === undefined) return null
  const between = (name: keyof Omit<ThreadSample, 'atMs'>) => Math.round(after[name] - before[name])
  return {
    mainRanMs: between('mainRanMs'),
    mainWaitedMs: between('mainWaitedMs'),
    othersRanMs: between('othersRanMs'),
  }
}

function overlaps({ sentAtMs, doneAtMs }: Asked, { fromMs, toMs }: Stall): boolean {
  return sentAtMs < toMs && (doneAtMs ?? Number.POSITIVE_INFINITY) > fromMs
}
