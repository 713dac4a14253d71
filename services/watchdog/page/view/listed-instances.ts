import type { InstanceFacts } from '@freshet/records/facts.ts'
import type { Heartbeat } from '@freshet/records/heartbeat.ts'
import { withoutSuccessor } from '../../rules/living.ts'

/** An instance as `freshet status` shows it. */
export interface ListedInstance extends Omit<Heartbeat, 'status'> {
  /** `gone`: silent, and another one has started in its place. `silent`: nobody has. */
  readonly status: Exclude<Heartbeat['status'], 'stopping'> | 'gone' | 'silent'
  readonly silentSeconds: number
}

/** Silence is counted by when it was heard: its own clock may be wrong. */
export type HeardInstance = Pick<InstanceFacts, 'heartbeat' | 'heardAtMs'>

/** Three heartbeats: one that has nothing to do yet has nothing that keeps it from sending them. */
const STARTING_SILENT_SECONDS = 9

/**
 * Of the last words heard, those of whoever did not end in order, and was not replaced by its supervisor: the successor
 * says so. Of the others the watchdog's rule says who has a successor.
 */
export function listInstances(
  all: readonly HeardInstance[],
  { nowMs, silentSeconds: limitSeconds }: { nowMs: number; silentSeconds: number },
): ListedInstance[] {
  const limitOf = ({ status }: Heartbeat) =>
    status === 'starting' ? Math.min(limitSeconds, STARTING_SILENT_SECONDS) : limitSeconds
  const isSilent = ({ heartbeat, heardAtMs }: HeardInstance) => nowMs - heardAtMs > limitOf(heartbeat) * 1_000
  const silent = all.filter((instance) => instance.heartbeat.status !== 'stopping' && isSilent(instance))
  const missed = new Set(withoutSuccessor(silent, all).map(({ heartbeat }) => heartbeat))
  const replaced = new Set(all.flatMap(({ heartbeat }) => heartbeat.replaces?.instances ?? []))
  return all.flatMap((instance): ListedInstance[] => {
    const { heartbeat, heardAtMs } = instance
    const { status } = heartbeat
    if (status === 'stopping' || replaced.has(heartbeat.instance)) return []
    const silentSeconds = Math.round((nowMs - heardAtMs) / 1_000)
    if (!isSilent(instance)) return [{ ...heartbeat, status, silentSeconds }]
    return [{ ...heartbeat, status: missed.has(heartbeat) ? 'silent' : 'gone', silentSeconds }]
  })
}

/** Somebody runs, and nobody fails, still starts, or is missed. */
export function areWell(instances: readonly ListedInstance[]): boolean {
  const isWell = ({ status }: ListedInstance) => status === 'running' || status === 'gone'
  return instances.some(({ status }) => status === 'running') && instances.every(isWell)
}
