import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { compileCacheEnv } from '@freshet/stage/compile-cache-env.ts'
import { withGrace } from '@freshet/stage/grace.ts'
import type { Counts, Fault, FromWorker, ToWorker } from './messages.ts'
import { SilenceWatch } from './silence-watch.ts'
import { Switchboard } from './switchboard.ts'

const PROGRAM = fileURLToPath(new URL('./worker.ts', import.meta.url))
const BACK_OFF = { firstMs: 100, maxMs: 10_000 }
/** One that lived so long has recovered: its next end starts the back-off anew. */
const RECOVERED_MS = 60_000
/** One that never came so far as to listen is not tried for ever: whoever started us may know better. */
const HOPELESS_CRASHES = 5
/** Workers give themselves 9 s; then they are killed. */
const STOP_WITHIN_MS = 9_300

/**
 * The gateway in `count` processes that share its port. This one accepts connections and hands them out in turn, adds up
 * what the workers count, starts those anew that end or stand still, and answers nothing itself: a worker that crashes or
 * stands still takes its own callers along, not the others'. Each holds a snapshot, a model and connections of its own.
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
  const switchboard = new Switchboard(workers)
  using _orders = context.telemetry.traced.orders.onPut((order) => {
    for (const worker of workers) worker.say({ kind: 'trace', orders: [order] })
  })
  const running = Promise.all(
    workers.map((worker) => worker.keepRunning(stop.signal, switchboard, hopeless.reject)),
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

  /** To one that has just ended, and whose end is not heard of yet, nothing is said; that is its end's to tell. */
  say(message: ToWorker): boolean {
    return this.#worker?.isConnected() === true && this.#worker.send(message, () => {})
  }

  async keepRunning(
    signal: AbortSignal,
    switchboard: Switchboard,
    giveUp: (error: Error) => void,
  ): Promise<void> {
    const { telemetry, report } = this.#context
    for (let crashes = 0; !signal.aborted; crashes++) {
      const startedAtMs = systemClock.nowMs()
      const { code, fault } = await this.#runOnce(signal, switchboard)
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

  async #runOnce(signal: AbortSignal, switchboard: Switchboard) {
    const { settings, instance, telemetry } = this.#context
    const worker = cluster.fork(compileCacheEnv()) // it is there in less than half the time
    this.#worker = worker
    this.#counted = {}
    let fault: FreshetError | undefined
    const kill = () => worker.process.kill('SIGKILL')
    using silence = new SilenceWatch(() => {
      fault = new FreshetError('WORKER_ENDED', `worker ${this.number} has stood still, and was killed`)
      kill()
    })
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'began' && !signal.aborted) silence.begin()
      if (message.kind === 'counted') silence.heard()
      if (message.kind === 'failed') fault = new FreshetError(message.fault.code, message.fault.message)
      else if (message.kind === 'ask figures') void switchboard.answer(this, message.id)
      else if (message.kind === 'figures') switchboard.heard(this, message.id, message.families)
      else if (message.kind === 'spent') switchboard.spent(this, message.spent)
      else this.#hear(message)
    })
    this.say({ kind: 'begin', settings: shareOf(settings, this.#count), instance, number: this.number })
    this.say({ kind: 'trace', orders: telemetry.traced.orders.list() })
    const onStop = () => {
      silence.end() // from here on it has its time to stop
      this.say({ kind: 'stop' })
    }
    signal.addEventListener('abort', onStop, { once: true })
    if (signal.aborted) onStop()
    using patience = withGrace(signal, STOP_WITHIN_MS)
    patience.signal.addEventListener('abort', kill)
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

/** What all may do together, each does its part of: callers come to every worker alike. */
function shareOf(settings: Settings, count: number): Settings {
  const { gateway } = settings
  const rank = { ...gateway.rank, maxSearches: Math.max(1, Math.floor(gateway.rank.maxSearches / count)) }
  return { ...settings, gateway: { ...gateway, rank } }
}

function differences(now: Counts, before: Counts): Counts {
  return Object.fromEntries(Object.entries(now).map(([name, value]) => [name, value - (before[name] ?? 0)]))
}
