import { systemClock } from '@freshet/stage/clock.ts'

/**
 * Disconnects a client of kafkajs, but waits no longer than `withinMs`: with a handler that hangs or a frozen broker
 * its disconnect never returns. What is left of it is then dropped; its outcome is of no interest.
 */
export async function quit(client: { disconnect(): Promise<void> }, withinMs: number): Promise<void> {
  const gone = new AbortController()
  const disconnected = client
    .disconnect()
    .catch(() => {})
    .finally(() => gone.abort())
  await Promise.race([disconnected, systemClock.sleep(withinMs, gone.signal)])
}
