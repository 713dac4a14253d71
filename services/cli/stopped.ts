/** How a command ends that was stopped by Ctrl-C. Loaded before all else, so it needs nothing. */

/** Of a command that was stopped: 128 and the number of SIGINT, as shells have it. */
export const STOPPED = 130

/** Until a command has a way of its own to end in order, Ctrl-C ends it at once. */
export function stopAtOnceOnInterrupt(): void {
  process.on('SIGINT', () => {
    if (process.listenerCount('SIGINT') > 1) return
    tellStopped()
    process.exit(STOPPED)
  })
}

export function tellStopped(): void {
  process.stderr.write('stopped\n')
}
