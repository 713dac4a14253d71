/** A worker of the gateway: the gateway as one process runs it, behind the socket that all share. See run-workers.ts. */
import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { StageReport } from '@freshet/service/service.ts'
import { openTelemetry } from '@freshet/telemetry/open.ts'
import type { TraceOrder } from '@freshet/telemetry/traced/ordered-keys.ts'
import type { Access } from '../keys/access.ts'
import { runGateway } from '../main.ts'
import type { Family } from '../metrics/prometheus-text.ts'
import type { Fault, FromWorker, ToWorker } from './messages.ts'

const COUNT_EVERY_MS = 1_000
type Order = Extract<ToWorker, { kind: 'begin' }>

/** For so long a worker does not know what the others let in. */
const SHARE_EVERY_MS = 50

/** A scrape waits no longer for the others. */
const FIGURES_WITHIN_MS = 1_500

const stop = new AbortController()

async function run({ settings, instance, number }: Order, line: Line): Promise<number> {
  await using telemetry = openTelemetry({
    settings,
    service: 'gateway',
    instance: `${instance}-worker${number}`,
    format: process.stderr.isTTY ? 'pretty' : 'json',
  })
  const { orders } = telemetry.traced
  line.hearOrders((heard) => {
    for (const order of heard) orders.put(order, Date.now())
  })
  const report = new ForwardedReport()
  const count = () =>
    say({ kind: 'counted', metrics: telemetry.metrics.values(), progress: report.takeProgress() })
  const counting = setInterval(count, COUNT_EVERY_MS)
  try {
    await runGateway({
      settings,
      instance,
      telemetry,
      signal: stop.signal,
      report,
      figuresOfAll: line.figuresOfAll,
      shareRates: line.shareRates,
      onListening: () => say({ kind: 'began' }),
    })
    count()
    return 0
  } catch (error) {
    telemetry.log.error('a worker of the gateway cannot go on', error)
    await said({ kind: 'failed', fault: faultOf(error) })
    return 1
  } finally {
    clearInterval(counting)
  }
}

/** What the harness would hear, for the first process to pass on. */
class ForwardedReport implements StageReport {
  #progress: Record<string, number> = {}

  progressed(stage: string, units: number): void {
    this.#progress[stage] = (this.#progress[stage] ?? 0) + units
  }

  usesModel(label: string): void {
    say({ kind: 'model', label })
  }

  failing(stage: string, error: unknown): void {
    say({ kind: 'trouble', stage, fault: faultOf(error) })
  }

  running(stage: string): void {
    say({ kind: 'trouble', stage, fault: null })
  }

  takeProgress(): Readonly<Record<string, number>> {
    const progress = this.#progress
    this.#progress = {}
    return progress
  }
}

/** What comes from the first process, and by way of it from the other workers. */
class Line {
  readonly #ordered = Promise.withResolvers<Order>()
  /** The figures of this one. */
  #own: (() => Promise<Family[]>) | undefined
  readonly #asked = new Map<number, (families: Family[]) => void>()
  #lastId = 0
  #access: Access | undefined
  #onOrders: ((orders: readonly TraceOrder[]) => void) | undefined
  readonly #early: TraceOrder[] = []

  get order(): Promise<Order> {
    return this.#ordered.promise
  }

  hear(message: ToWorker): void {
    switch (message.kind) {
      case 'begin':
        this.#ordered.resolve(message)
        break
      case 'stop':
        stop.abort()
        break
      case 'tell figures':
        void this.#tell(message.id)
        break
      case 'figures of all':
        this.#asked.get(message.id)?.(message.families)
        break
      case 'spent elsewhere':
        this.#access?.spendElsewhere(message.spent)
        break
      case 'trace':
        if (this.#onOrders === undefined) this.#early.push(...message.orders)
        else this.#onOrders(message.orders)
    }
  }

  /** Also of those that came before anybody listened. */
  hearOrders(onOrders: (orders: readonly TraceOrder[]) => void): void {
    this.#onOrders = onOrders
    onOrders(this.#early.splice(0))
  }

  /** Whichever worker is scraped, the figures are those of all, each with its worker's number. */
  readonly figuresOfAll = (own: () => Promise<Family[]>) => {
    this.#own = own
    return async () => {
      const id = ++this.#lastId
      const { promise, resolve } = Promise.withResolvers<Family[]>()
      this.#asked.set(id, resolve)
      const late = setTimeout(async () => resolve(await own()), FIGURES_WITHIN_MS)
      say({ kind: 'ask figures', id })
      try {
        return await promise
      } finally {
        clearTimeout(late)
        this.#asked.delete(id)
      }
    }
  }

  readonly shareRates = (access: Access): Disposable => {
    this.#access = access
    const tell = () => {
      const spent = access.takeSpent()
      if (spent !== undefined) say({ kind: 'spent', spent })
    }
    const telling = setInterval(tell, SHARE_EVERY_MS)
    return {
      [Symbol.dispose]: () => {
        clearInterval(telling)
        this.#access = undefined
      },
    }
  }

  async #tell(id: number): Promise<void> {
    if (this.#own !== undefined) say({ kind: 'figures', id, families: await this.#own() })
  }
}

function faultOf(error: unknown): Fault {
  const { code, message } = toFreshetError(error)
  return { code, message }
}

/** A first process that is gone, and whose end is not heard of yet, hears nothing. */
function say(message: FromWorker): void {
  if (process.connected) process.send!(message, () => {})
}

async function said(message: FromWorker): Promise<void> {
  if (process.connected) await new Promise<unknown>((resolve) => process.send!(message, resolve))
}

if (process.send === undefined)
  throw new FreshetError('BUG', 'workers/worker.ts is started by the gateway only')
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {}) // a terminal tells all; the first process stops us
process.once('disconnect', () => stop.abort())
const line = new Line()
process.on('message', (message: ToWorker) => line.hear(message))
process.exitCode = await run(await line.order, line)
process.disconnect()
