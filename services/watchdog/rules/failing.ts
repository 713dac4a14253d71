/** What is said of a service whose instances, or some of their workers, fail: what of, what it means, what to do. */
import { ERRORS, type ErrorCode } from '@freshet/errors/errors.ts'
import type { Finding } from '@freshet/records/alert-state.ts'
import type { FailingWorker, Heartbeat } from '@freshet/records/heartbeat.ts'

/** A message to people has room for so many errors; `freshet status` has all. */
const MAX_ERRORS = 4

/**
 * One finding a service: what crashes again and again under new names is one trouble.
 * @param heartbeats the last words of those that fail, the last one last
 */
export function failing(service: string, heartbeats: readonly Heartbeat[]): Finding {
  const { instance } = heartbeats.at(-1)!
  const faults = faultsOf(heartbeats)
  const workers = [...new Set(faults.map(({ worker }) => worker))].filter((worker) => worker !== service)
  const codes = [...new Set(faults.map(({ error }) => codeOf(error)))].filter((code) => code !== undefined)
  const shown = faults.slice(0, MAX_ERRORS)
  const more = faults.length - shown.length
  const named = workers.length === 0 ? '' : `: ${workers.join(', ')}`
  return {
    id: `failing/${service}`,
    kind: 'failing',
    title: `${instance} is failing${named}`,
    details: {
      Service: service,
      ...Object.fromEntries(shown.map((fault) => [headingOf(fault, service), fault.error])),
      ...(more > 0 && { 'More errors': `${more}: freshet status` }),
      ...(heartbeats.length > 1 && { Instances: `${heartbeats.length}` }),
    },
    advice: {
      effect: (workers.length === 0 ? [service] : workers)
        .map((worker) => effectOf(service, worker))
        .join('; '),
      firstLook: codes.length === 0 ? 'its log' : codes.map((code) => ERRORS[code].hint).join(' '),
    },
  }
}

/** Of all instances, the last one's first; the same trouble of two, or of two processes of a gateway, once. */
function faultsOf(heartbeats: readonly Heartbeat[]): FailingWorker[] {
  const faults = new Map<string, FailingWorker>()
  for (const heartbeat of heartbeats.toReversed())
    for (const { worker: name, error, atMs } of workersOf(heartbeat)) {
      const worker = name.replace(/ of worker \d+$/, '')
      const id = `${worker} ${codeOf(error)}`
      if (!faults.has(id)) faults.set(id, { worker, error, atMs })
    }
  return [...faults.values()]
}

/** An older one names its last error only. */
function workersOf({
  service,
  failing,
  lastError,
  lastErrorAtMs,
  atMs,
}: Heartbeat): readonly FailingWorker[] {
  return failing ?? [{ worker: service, error: lastError ?? 'unknown', atMs: lastErrorAtMs ?? atMs }]
}

function headingOf({ worker, error }: FailingWorker, service: string): string {
  const code = codeOf(error)
  return worker === service ? 'Error' : `Error of ${worker}${code === undefined ? '' : ` (${code})`}`
}

function codeOf(error: string): ErrorCode | undefined {
  const code = error.split(':', 1)[0]!
  return Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : undefined
}

function effectOf(service: string, worker: string): string {
  return (
    EFFECTS[`${service}/${worker}`] ??
    (worker === service
      ? 'this instance cannot go on'
      : `its worker ${worker} stands still; the others go on`)
  )
}

/** What callers, and those who watch, have of it. */
const EFFECTS: Readonly<Record<string, string>> = {
  'gateway/gateway': 'this gateway answers nobody',
  'gateway/cache':
    'the gateway answers, degraded: callers get scores from the snapshot, or the default where it has none',
  'gateway/snapshot':
    'callers get scores from Redis; what Redis does not have comes from the snapshot as it was loaded last, if at all',
  'gateway/model':
    'stored scores are served as ever; live scores and rankings come from the model loaded last, and without one callers get stored scores',
  'scorer/scorer': 'this scorer does nothing; where no other runs, scores are stale',
  'scorer/infer': 'nothing new is scored: callers get the scores of before',
  'scorer/model': 'changes are scored with the model loaded last; where none was, nothing new is scored',
  'scorer/cache': 'new scores do not reach Redis: callers get older ones',
  'scorer/refill':
    'Redis may not hold all scores, or takes no writes: what it lacks callers get from the snapshot, or the default',
  'scorer/snapshot':
    'no new snapshot is written: what callers get while Redis is away, and what refills it, grows old',
  'poller/poller': 'no changes are found; scores grow old',
  'poller/capture': 'some or all changes are not found; their scores grow old',
  'verify/verify': 'nobody proves meanwhile that scores are complete',
  'watchdog/watchdog': 'nobody watches, where no other watchdog runs',
}
