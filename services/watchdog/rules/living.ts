/** Who of a pipeline lives, as far as heartbeats tell. Pure. */
import type { Facts, InstanceFacts } from '@freshet/records/facts.ts'
import type { FailingWorker, Heartbeat } from '@freshet/records/heartbeat.ts'
import type { Scene } from './rule.ts'

/** Heartbeats come every three seconds, and are heard two seconds later. */
const LEAST_SECONDS = 10

/** The last word that was heard of anybody: the watchdog speaks too, so it ends only when nothing is heard at all. */
export function lastHeardAtMs({ instances }: Pick<Facts, 'instances'>): number {
  return Math.max(0, ...instances.map(({ heardAtMs }) => heardAtMs))
}

/**
 * Heard lately, at work, and not failing as a whole. Whoever has said nothing for half the time after which it counts as
 * silent is not counted on: when the first is told as silent, who died with it does not live either.
 */
export function livingOf(
  { now, silentSeconds }: Pick<Scene, 'now' | 'silentSeconds'>,
  service: string,
): readonly InstanceFacts[] {
  const sinceMs = lastHeardAtMs(now) - Math.max(silentSeconds / 2, LEAST_SECONDS) * 1_000
  return now.instances.filter(
    ({ heartbeat, heardAtMs }) =>
      heartbeat.service === service &&
      heardAtMs >= sinceMs &&
      heartbeat.status !== 'stopping' &&
      !faultsOf(heartbeat).some(({ worker }) => worker === service),
  )
}

/** What an instance says is failing. One of an older build names its last error only. */
export function faultsOf(heartbeat: Heartbeat): readonly FailingWorker[] {
  const { status, service, failing, lastError, lastErrorAtMs, atMs } = heartbeat
  if (status !== 'failing') return []
  return failing ?? [{ worker: service, error: lastError ?? 'unknown', atMs: lastErrorAtMs ?? atMs }]
}

/** `model of worker 2` of a gateway with several processes is its worker `model`. */
export function workerOf({ worker }: FailingWorker): string {
  return worker.replace(/ of worker \d+$/, '')
}

/** The code of an error that was told as `CODE: message`. */
export function codeOf(error: string): string {
  return error.split(':', 1)[0]!
}

/** Each successor stands for one that is gone, so three that died are not made good by one that came. */
export function withoutSuccessor<T extends Pick<InstanceFacts, 'heartbeat' | 'heardAtMs'>>(
  gone: readonly T[],
  all: readonly T[],
): readonly T[] {
  const successors = all.toSorted((a, b) => a.heartbeat.startedAtMs - b.heartbeat.startedAtMs)
  return gone
    .toSorted((a, b) => a.heardAtMs - b.heardAtMs)
    .filter((instance) => !takeSuccessor(successors, instance))
}

function takeSuccessor<T extends Pick<InstanceFacts, 'heartbeat'>>(candidates: T[], gone: T): boolean {
  const at = candidates.findIndex(
    (candidate) =>
      candidate !== gone &&
      candidate.heartbeat.service === gone.heartbeat.service &&
      candidate.heartbeat.startedAtMs >= gone.heartbeat.atMs,
  )
  if (at >= 0) candidates.splice(at, 1)
  return at >= 0
}

/** The sum of a counter's growth, by `name` or all of `name.label`, over instances. */
export function grown(
  instances: readonly InstanceFacts[],
  name: string,
  over: 'lastMinute' | 'lastFiveMinutes',
): number {
  return instances.reduce((sum, instance) => sum + sumOf(instance[over].by, name), 0)
}

/** Of all entries of a counter: `name`, and `name.label`. */
export function sumOf(counts: Readonly<Record<string, number>>, name: string): number {
  return Object.entries(counts)
    .filter(([key]) => key === name || key.startsWith(`${name}.`))
    .reduce((sum, [, count]) => sum + count, 0)
}
