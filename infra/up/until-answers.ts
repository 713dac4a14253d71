import { systemClock } from '@freshet/stage/clock.ts'
import type { Server } from './server.ts'

const ASK_MS = 3_000
const PAUSE_MS = 100

/** Asks again and again until the server answers (true), or the signal aborts or the time is over (false). */
export async function untilAnswers(
  server: Pick<Server, 'answers'>,
  port: number,
  { deadlineMs, signal }: { deadlineMs: number; signal: AbortSignal },
): Promise<boolean> {
  const end = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)])
  while (!end.aborted) {
    const asked = AbortSignal.any([end, AbortSignal.timeout(ASK_MS)])
    const answered = await server.answers(port, asked).catch(() => false) // refused, cut off, not yet itself
    if (answered) return true
    await systemClock.sleep(PAUSE_MS, end)
  }
  return false
}
