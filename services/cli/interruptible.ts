import { STOPPED, tellStopped } from './stopped.ts'

/** Aborts on Ctrl-C or SIGTERM, for commands that take a while; a second one ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => controller.abort(new Error('interrupted')))
  return controller.signal
}

/**
 * Runs a command that may be stopped: what it fails with then is no failure.
 * @returns the exit code: that of `work`, or of a command that was stopped
 */
export async function interruptible(
  work: (signal: AbortSignal) => Promise<number>,
  signal = interruptSignal(),
): Promise<number> {
  try {
    return await work(signal)
  } catch (error) {
    if (!signal.aborted) throw error
    tellStopped()
    return STOPPED
  }
}
