import type { Heartbeat } from '@freshet/records/heartbeat.ts'

/** The instances of watchdogs that speak, and have not said that they end. */
export function livingWatchdogs(
  heartbeats: readonly Heartbeat[],
  { nowMs, silentSeconds }: { readonly nowMs: number; readonly silentSeconds: number },
): readonly string[] {
  return heartbeats
    .filter(({ service, status }) => service === 'watchdog' && status !== 'stopping')
    .filter(({ atMs }) => nowMs - atMs <= silentSeconds * 1_000)
    .map(({ instance }) => instance)
}
