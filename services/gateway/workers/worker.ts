/** A worker of the gateway: the gateway as one process runs it, behind the socket that all share. See run-workers.ts. */
import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { StageReport } from '@freshet/service/service.ts'
import { openTelemetry } from '@freshet/telemetry/open.ts'
import { runGateway } from '../main.ts'
import { type Begin, FirstProcess } from './first-process.ts'
import type { Fault, FromWorker, ToWorker } from './messages.ts'

const COUNT_EVERY_MS = 1_000

const stop = new AbortController()

async function run({ settings, instance, number }: Begin, first: FirstProcess): Promise<number> {
  await using telemetry = openTelemetry({
    settings,
    service: 'gateway',
    instance: `${instance}-worker${number}`,
    format: process.stderr.isTTY ? 'pretty' : 'json',
  })
  const { orders } = telemetry.traced
  first.hearOrders((heard) => {
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
      figuresOfAll: (own) => first.figuresOfAll(own, telemetry.log),
      shareRates: (access) => first.shareRates(access),
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
const first = new FirstProcess(say, () => stop.abort())
process.on('message', (message: ToWorker) => first.hear(message))
process.exitCode = await run(await first.begun, first)
process.disconnect()
