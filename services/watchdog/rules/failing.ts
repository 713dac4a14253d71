/** What is said of a service whose instances, or some of their workers, fail: what of, what it means, what to do. */
import { ERRORS, type ErrorCode } from '@freshet/errors/errors.ts'
import type { InstanceFacts } from '@freshet/records/facts.ts'
import type { FailingWorker } from '@freshet/records/heartbeat.ts'
import { codeOf, faultsOf, livingOf, withoutSuccessor, workerOf } from './living.ts'
import { isRefusal } from './model-refused.ts'
import type { Part, Rule, Scene, Symptom } from './rule.ts'
import { neededBy, serverOf } from './servers.ts'
import { goneOf } from './silent.ts'

/** A message to people has room for so many errors; `freshet status` has all. */
const MAX_ERRORS = 4
/** A worker whose server is back tries again within this. */
const RECOVERY_SECONDS = 30

/**
 * One finding a service: what crashes again and again under new names is one trouble. What a dead server, a refused model
 * or a run of `freshet once` is the reason of is told by their rules.
 */
export const failing: Rule = {
  name: 'failing',
  find(scene) {
    const { now } = scene
    const failed = withoutSuccessor(goneOf(now, Number.POSITIVE_INFINITY), now.instances)
      .filter(({ heartbeat }) => heartbeat.service !== 'once')
      .map((instance) => ({ instance, faults: faultsOf(instance.heartbeat).filter(isOurs) }))
      .filter(({ faults }) => faults.length > 0)
    const services = new Set(failed.map(({ instance }) => instance.heartbeat.service))
    return [...services].map((service) =>
      symptomOf(
        service,
        failed.filter(({ instance }) => instance.heartbeat.service === service),
        scene,
      ),
    )
  },
}

interface Failed {
  readonly instance: InstanceFacts
  readonly faults: readonly FailingWorker[]
}

function isOurs(fault: FailingWorker): boolean {
  return serverOf(codeOf(fault.error)) === undefined && !isRefusal(fault)
}

/** @param failed the last one last */
function symptomOf(service: string, failed: readonly Failed[], scene: Scene): Symptom {
  const { instance } = failed.at(-1)!.instance.heartbeat
  const faults = distinct(failed)
  const workers = [...new Set(faults.map(({ worker }) => worker))].filter((worker) => worker !== service)
  const codes = [...new Set(faults.map(({ error }) => codeOf(error)))].filter((code) => code in ERRORS)
  const shown = faults.slice(0, MAX_ERRORS)
  const more = faults.length - shown.length
  const named = workers.length === 0 ? '' : `: ${workers.join(', ')}`
  return {
    id: `failing/${service}`,
    title: `${instance} is failing${named}`,
    details: {
      Service: service,
      ...Object.fromEntries(shown.map((fault) => [headingOf(fault, service), fault.error])),
      ...(more > 0 && { 'More errors': `${more}: freshet status` }),
      ...(failed.length > 1 && { Instances: `${failed.length}` }),
    },
    advice: {
      effect: (workers.length === 0 ? [service] : workers)
        .map((worker) => effectOf(service, worker))
        .join('; '),
      firstLook:
        codes.length === 0 ? 'its log' : codes.map((code) => ERRORS[code as ErrorCode].hint).join(' '),
    },
    sinceSeconds: RECOVERY_SECONDS,
    needs: [...new Set(faults.flatMap(({ worker }) => neededBy(worker)))],
    breaks: brokenBy(service, faults, scene),
  }
}

/** What nobody else of the service does in their place. */
function brokenBy(service: string, faults: readonly FailingWorker[], scene: Scene): readonly Part[] {
  const living = livingOf(scene, service)
  if (living.length === 0) return [`service ${service}`]
  const workers = new Set(faults.map(({ worker }) => worker))
  return [...workers]
    .filter((worker) =>
      living.every(({ heartbeat }) => faultsOf(heartbeat).some((fault) => workerOf(fault) === worker)),
    )
    .map((worker): Part => `worker ${service}/${worker}`)
}

/** Of all instances, the last one's first; the same trouble of two, or of two processes of a gateway, once. */
function distinct(failed: readonly Failed[]): FailingWorker[] {
  const faults = new Map<string, FailingWorker>()
  for (const fault of failed.toReversed().flatMap((one) => one.faults)) {
    const worker = workerOf(fault)
    const id = `${worker} ${codeOf(fault.error)}`
    if (!faults.has(id)) faults.set(id, { ...fault, worker })
  }
  return [...faults.values()]
}

function headingOf({ worker, error }: FailingWorker, service: string): string {
  const code = codeOf(error)
  return worker === service ? 'Error' : `Error of ${worker}${code in ERRORS ? ` (${code})` : ''}`
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
