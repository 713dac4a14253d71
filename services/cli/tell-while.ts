import { systemClock } from '@freshet/stage/clock.ts'

const TELL_EVERY_MS = 5_000

/** Says on stderr every few seconds that something that usually takes a moment still goes on. */
export async function tellWhile<T>(doing: string, work: () => Promise<T>): Promise<T> {
  const sinceMs = systemClock.nowMs()
  const timer = setInterval(() => {
    const seconds = Math.round((systemClock.nowMs() - sinceMs) / 1_000)
    process.stderr.write(`${doing}: still at it after ${seconds} s\n`)
  }, TELL_EVERY_MS)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}
