import type { HeardHeartbeat } from '@freshet/records/last-heartbeats.ts'

/** The instances of watchdogs that were heard lately, and have not said that they end. */
export function livingWatchdogs(
  heard: readonly HeardHeartbeat[],
  { nowMs, silentSeconds }: { readonly nowMs: number; readonly silentSeconds: number },
): readonly string[] {
  return heard
    .filter(({ heartbeat: { service, status } }) => service === 'watchdog' && status !== 'stopping')
    .filter(({ heardAtMs }) => nowMs - heardAtMs <= silentSeconds * 1_000)
    .map(({ heartbeat }) => heartbeat.instance)
}
