import type { Settings } from '@freshet/config/schema.ts'
import { isFreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { inSpan } from '@freshet/telemetry/spans.ts'
import type { Tracer } from '@opentelemetry/api'
import type { FactReader } from '../look/facts.ts'
import { judge } from '../rules/judge.ts'
import type { AlertBook } from './alert-book.ts'
import type { AlertStore } from './alert-store.ts'

export interface WatchOptions {
  readonly settings: Settings['watchdog']
  readonly facts: FactReader
  readonly book: AlertBook
  readonly store: AlertStore
  readonly clock: Clock
  readonly log: Log
  readonly tracer: Tracer
}

/** Looks, judges, remembers; until `signal` aborts. */
export async function watch(options: WatchOptions, signal: AbortSignal): Promise<void> {
  const { settings, facts, book, clock, tracer } = options
  let restored = false
  while (!signal.aborted) {
    const shape = { name: 'look at the pipeline', attributes: { [ATTRIBUTES.stage]: 'watch' } }
    const seen = await inSpan(tracer, shape, () => facts.look(signal))
    if (signal.aborted) return
    if (seen.kafka === 'reachable') restored ||= await restore(options, signal)
    book.judge(judge(seen, settings), { nowMs: seen.nowMs, repeatMs: settings.repeatHours * 3_600_000 })
    if (restored) await remember(options, signal)
    await clock.sleep(settings.intervalSeconds * 1000, signal)
  }
}

/** @returns false when it is to be tried again. */
async function restore({ store, book, log }: WatchOptions, signal: AbortSignal): Promise<boolean> {
  try {
    const state = await store.load(signal)
    if (state !== undefined) book.restore(state)
    return true
  } catch (error) {
    if (isFreshetError(error) && !error.retryable) {
      log.error('open alerts of an earlier watchdog cannot be read; they may be told again', error)
      return true
    }
    log.warn('open alerts of an earlier watchdog cannot be read yet', describe(error))
    return false
  }
}

/** Without it a restart would tell again what people know; so a failure is said, and the watch goes on. */
export async function remember(
  { store, book, log }: Pick<WatchOptions, 'store' | 'book' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await store.save(book.state(), signal)
  } catch (error) {
    if (!signal.aborted) log.warn('open alerts cannot be saved', describe(error))
  }
}

function describe(error: unknown) {
  const { code, message } = toFreshetError(error)
  return { [ATTRIBUTES.errorType]: code, [ATTRIBUTES.exceptionMessage]: message }
}
