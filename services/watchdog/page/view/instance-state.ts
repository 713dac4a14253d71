import type { ListedInstance } from './listed-instances.ts'
import type { InstanceState, Level } from './page-state.ts'

/** An error of the past is news for so long. */
const ERROR_SHOWN_MS = 15 * 60_000

const LEVELS: Readonly<Record<ListedInstance['status'], Level>> = {
  running: 'well',
  starting: 'unknown',
  failing: 'critical',
  silent: 'critical',
  gone: 'unknown',
}

export function instanceState(listed: ListedInstance, nowMs: number): InstanceState {
  const { instance, service, status, startedAtMs, silentSeconds, model } = listed
  return {
    instance,
    service,
    status,
    level: LEVELS[status],
    startedAtMs,
    silentSeconds,
    model,
    errors: errorsOf(listed, nowMs),
  }
}

function errorsOf(
  { failing, lastError, lastErrorAtMs }: ListedInstance,
  nowMs: number,
): InstanceState['errors'] {
  if (failing !== undefined) return failing
  if (lastError === null || nowMs - (lastErrorAtMs ?? nowMs) > ERROR_SHOWN_MS) return []
  return [{ worker: null, error: lastError, atMs: lastErrorAtMs }]
}
