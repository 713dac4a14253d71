import cluster, { type Worker } from 'node:cluster'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { compileCacheEnv } from '@freshet/stage/compile-cache-env.ts'
import { withGrace } from '@freshet/stage/grace.ts'
import type { Counts, Fault, FromWorker, ToWorker } from './messages.ts'
import { SilenceWatch } from './silence-watch.ts'
import type { Switchboard } from './switchboard.ts'
import { endOf } from './worker-end.ts'

const BACK_OFF = { firstMs: 100, maxMs: 10_000 }
/** One that lived so long has recovered: its next end starts the back-off anew. */
const RECOVERED_MS = 60_000
/** One that never came so far as to listen is not tried for ever: whoever started us may know better. */
const HOPELESS_CRASHES = 5
/** Workers give themselves 9 s; then they are killed. */
const STOP_WITHIN_MS = 9_300

/** One of the workers: a process, and after its end the next. */
export class GatewayWorker {
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
      const { end, fault } = await this.#runOnce(signal, switchboard)
      for (const stage of this.#troubled) report.running(stage)
      this.#troubled.clear()
      if (signal.aborted) return
      const error = fault ?? new FreshetError('WORKER_ENDED', `worker ${this.number} has ended with ${end}`)
      if (!this.#hasBegun && (!error.retryable || crashes === HOPELESS_CRASHES)) return giveUp(error)
      telemetry.metrics.add('freshet.gateway.workers_replaced')
      telemetry.log.error(`worker ${this.number} of the gateway is replaced`, error)
      if (systemClock.nowMs() - startedAtMs > RECOVERED_MS) crashes = 0
      await systemClock.sleep(crashes === 0 ? 0 : delayMs(BACK_OFF, crashes - 1, Math.random), signal)
    }
  }

  async #runOnce(signal: AbortSignal, switchboard: Switchboard) {
    const { settings, instance, telemetry } = this.#context
    const worker = forkWorker()
    if (typeof worker === 'string') return { end: worker, fault: undefined }
    this.#worker = worker
    this.#counted = {}
    let fault: FreshetError | undefined
    const kill = () => worker.process.kill('SIGKILL')
    using silence = new SilenceWatch(() => {
      fault = new FreshetError(
        'WORKER_ENDED',
        `worker ${this.number} has stood still or did not begin, and was killed`,
      )
      kill()
    })
    if (!signal.aborted) silence.start()
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
    const end = await endOf(worker)
    signal.removeEventListener('abort', onStop)
    return { end, fault }
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

/** @returns why not, where the system has no memory for a process: the other workers go on all the same */
function forkWorker(): Worker | string {
  try {
    return cluster.fork(compileCacheEnv()) // it is there in less than half the time
  } catch (error) {
    return String(error)
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
