/** A worker of the gateway: the gateway as one process runs it, behind the socket that all share. See run-workers.ts. */
import { once } from 'node:events'
import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { StageReport } from '@freshet/service/service.ts'
import { openTelemetry } from '@freshet/telemetry/open.ts'
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

async function run({ settings, instance, number }: Order): Promise<number> {
  await using telemetry = openTelemetry({
    settings,
    service: 'gateway',
    instance: `${instance}-worker${number}`,
    format: process.stderr.isTTY ? 'pretty' : 'json',
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
      figuresOfAll,
      shareRates,
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

/** Whichever worker is scraped, the figures are those of all, each with its worker's number. */
function figuresOfAll(own: () => Promise<Family[]>): () => Promise<Family[]> {
  const asked = new Map<number, (families: Family[]) => void>()
  let lastId = 0
  process.on('message', async (message: ToWorker) => {
    if (message.kind === 'stop') stop.abort()
    if (message.kind === 'tell figures') say({ kind: 'figures', id: message.id, families: await own() })
    if (message.kind === 'figures of all') asked.get(message.id)?.(message.families)
  })
  return async () => {
    const id = ++lastId
    const { promise, resolve } = Promise.withResolvers<Family[]>()
    asked.set(id, resolve)
    const late = setTimeout(async () => resolve(await own()), FIGURES_WITHIN_MS)
    say({ kind: 'ask figures', id })
    try {
      return await promise
    } finally {
      clearTimeout(late)
      asked.delete(id)
    }
  }
}

function shareRates(access: Access): Disposable {
  const hear = (message: ToWorker) => {
    if (message.kind === 'spent elsewhere') access.spendElsewhere(message.spent)
  }
  const tell = () => {
    const spent = access.takeSpent()
    if (spent !== undefined) say({ kind: 'spent', spent })
  }
  process.on('message', hear)
  const telling = setInterval(tell, SHARE_EVERY_MS)
  return {
    [Symbol.dispose]() {
      clearInterval(telling)
      process.off('message', hear)
    },
  }
}

function faultOf(error: unknown): Fault {
  const { code, message } = toFreshetError(error)
  return { code, message }
}

function say(message: FromWorker): void {
  if (process.connected) process.send!(message)
}

async function said(message: FromWorker): Promise<void> {
  if (process.connected) await new Promise<unknown>((resolve) => process.send!(message, resolve))
}

if (process.send === undefined)
  throw new FreshetError('BUG', 'workers/worker.ts is started by the gateway only')
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {}) // a terminal tells all; the first process stops us
process.once('disconnect', () => stop.abort())
const [order] = (await once(process, 'message')) as [Order]
process.exitCode = await run(order)
process.disconnect()
