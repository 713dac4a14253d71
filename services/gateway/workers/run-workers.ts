import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { withGrace } from '@freshet/stage/grace.ts'
import type { Spent } from '../keys/access.ts'
import type { Family } from '../metrics/prometheus-text.ts'
import { joinFamilies } from './join-families.ts'
import type { Counts, Fault, FromWorker, ToWorker } from './messages.ts'

const PROGRAM = fileURLToPath(new URL('./worker.ts', import.meta.url))
const BACK_OFF = { firstMs: 100, maxMs: 10_000 }
/** One that lived so long has recovered: its next end starts the back-off anew. */
const RECOVERED_MS = 60_000
/** One that never came so far as to listen is not tried for ever: whoever started us may know better. */
const HOPELESS_CRASHES = 5
/** Workers give themselves 9 s; then they are killed. */
const STOP_WITHIN_MS = 9_300
const FIGURES_WITHIN_MS = 1_000

/**
 * The gateway in `count` processes that share its port. This one accepts connections and hands them out in turn, adds up
 * what the workers count, starts those that end anew, and answers nothing itself: a worker that stands still or crashes
 * takes its own callers along, not the others'. Each holds a snapshot, a model and connections of its own.
 * @throws what keeps the very first worker from beginning: PORT_TAKEN, CONFIG_INVALID
 */
export async function runWorkers(context: ServiceContext, count: number): Promise<void> {
  const { signal } = context
  cluster.setupPrimary({ exec: PROGRAM, args: [], serialization: 'advanced' })
  const hopeless = Promise.withResolvers<never>()
  const stop = new AbortController()
  const passOn = () => stop.abort()
  signal.addEventListener('abort', passOn, { once: true })
  if (signal.aborted) passOn()
  const workers = Array.from({ length: count }, (_, index) => new GatewayWorker(index + 1, count, context))
  const figures = new FiguresOfAll(workers)
  const running = Promise.all(
    workers.map((worker) => worker.keepRunning(stop.signal, figures, hopeless.reject)),
  )
  try {
    await Promise.race([running, hopeless.promise])
  } finally {
    signal.removeEventListener('abort', passOn)
    stop.abort()
    await running
  }
}

/** One of the workers: a process, and after its end the next. */
class GatewayWorker {
  readonly number: number
  readonly #count: number
  readonly #context: ServiceContext
  #worker: Worker | undefined
  #hasBegun = false
  /** Of this process, as last told: what is added up are the differences. */
  #counted: Counts = {}
  readonly #troubled = new Set<string>()

  constructor(number: number, count: number, context: ServiceContext) {
    this.number = number
    this.#count = count
    this.#context = context
  }

  say(message: ToWorker): boolean {
    return this.#worker?.isConnected() === true && this.#worker.send(message)
  }

  async keepRunning(
    signal: AbortSignal,
    figures: FiguresOfAll,
    giveUp: (error: Error) => void,
  ): Promise<void> {
    const { telemetry, report } = this.#context
    for (let crashes = 0; !signal.aborted; crashes++) {
      const startedAtMs = systemClock.nowMs()
      const { code, fault } = await this.#runOnce(signal, figures)
      for (const stage of this.#troubled) report.running(stage)
      this.#troubled.clear()
      if (signal.aborted) return
      const error = fault ?? new FreshetError('WORKER_ENDED', `worker ${this.number} has ended with ${code}`)
      if (!this.#hasBegun && (!error.retryable || crashes === HOPELESS_CRASHES)) return giveUp(error)
      telemetry.metrics.add('freshet.gateway.workers_replaced')
      telemetry.log.error(`worker ${this.number} of the gateway is replaced`, error)
      if (systemClock.nowMs() - startedAtMs > RECOVERED_MS) crashes = 0
      await systemClock.sleep(crashes === 0 ? 0 : delayMs(BACK_OFF, crashes - 1, Math.random), signal)
    }
  }

  async #runOnce(signal: AbortSignal, figures: FiguresOfAll) {
    const { settings, instance } = this.#context
    const worker = cluster.fork()
    this.#worker = worker
    this.#counted = {}
    let fault: FreshetError | undefined
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'failed') fault = new FreshetError(message.fault.code, message.fault.message)
      else if (message.kind === 'ask figures') void figures.answer(this, message.id)
      else if (message.kind === 'figures') figures.heard(this, message.id, message.families)
      else if (message.kind === 'spent') figures.spent(this, message.spent)
      else this.#hear(message)
    })
    this.say({ kind: 'begin', settings: shareOf(settings, this.#count), instance, number: this.number })
    const onStop = () => void this.say({ kind: 'stop' })
    signal.addEventListener('abort', onStop, { once: true })
    if (signal.aborted) onStop()
    using patience = withGrace(signal, STOP_WITHIN_MS)
    patience.signal.addEventListener('abort', () => worker.process.kill('SIGKILL'))
    const [exitCode, killedBy] = (await once(worker, 'exit')) as [number | null, string | null]
    signal.removeEventListener('abort', onStop)
    return { code: killedBy || exitCode, fault }
  }

  #hear(message: Extract<FromWorker, { kind: 'began' | 'counted' | 'model' | 'trouble' }>): void {
    const { telemetry, report } = this.#context
    switch (message.kind) {
      case 'began':
        this.#hasBegun = true
        return
      case 'counted':
        telemetry.metrics.addCounts(differences(message.metrics, this.#counted))
        this.#counted = message.metrics
        for (const [stage, units] of Object.entries(message.progress)) report.progressed(stage, units)
        return
      case 'model':
        report.usesModel(message.label)
        return
      case 'trouble':
        this.#tell(`${message.stage} of worker ${this.number}`, message.fault)
    }
  }

  #tell(stage: string, fault: Fault | null): void {
    const { report } = this.#context
    if (fault === null) {
      this.#troubled.delete(stage)
      report.running(stage)
    } else {
      this.#troubled.add(stage)
      report.failing(stage, new FreshetError(fault.code, fault.message))
    }
  }
}

/** Brings the figures of all workers to the one that is asked for them, and to each what the others have let in. */
class FiguresOfAll {
  readonly #workers: readonly GatewayWorker[]
  readonly #asked = new Map<number, Map<GatewayWorker, (families: Family[]) => void>>()
  #lastId = 0

  constructor(workers: readonly GatewayWorker[]) {
    this.#workers = workers
  }

  /** One that does not tell in time is left out. */
  async answer(asker: GatewayWorker, askersId: number): Promise<void> {
    const id = ++this.#lastId
    const told = new Map<number, readonly Family[]>()
    const waiting = new Map<GatewayWorker, (families: Family[]) => void>()
    this.#asked.set(id, waiting)
    const all = this.#workers.map((worker) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.set(worker, (families) => {
        told.set(worker.number, families)
        resolve()
      })
      return worker.say({ kind: 'tell figures', id }) ? promise : undefined
    })
    const late = AbortSignal.timeout(FIGURES_WITHIN_MS)
    await Promise.race([Promise.all(all), once(late, 'abort')])
    this.#asked.delete(id)
    asker.say({ kind: 'figures of all', id: askersId, families: joinFamilies(told) })
  }

  /** Passes on what one has let in: each key has one rate, whichever worker its requests come to. */
  spent(by: GatewayWorker, spent: Spent): void {
    for (const worker of this.#workers) if (worker !== by) worker.say({ kind: 'spent elsewhere', spent })
  }

  heard(worker: GatewayWorker, id: number, families: Family[]): void {
    this.#asked.get(id)?.get(worker)?.(families)
  }
}

/** What all may do together, each does its part of: callers come to every worker alike. */
function shareOf(settings: Settings, count: number): Settings {
  const { gateway } = settings
  const rank = { ...gateway.rank, maxSearches: Math.max(1, Math.floor(gateway.rank.maxSearches / count)) }
  return { ...settings, gateway: { ...gateway, rank } }
}

function differences(now: Counts, before: Counts): Counts {
  return Object.fromEntries(Object.entries(now).map(([name, value]) => [name, value - (before[name] ?? 0)]))
}
