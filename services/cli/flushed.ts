/**
 * Resolves when all that was written is out, or nobody reads any more. A pipe takes what its reader makes room for; the rest
 * of a long report waits in this process, and would end with it.
 */
export function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.once('error', () => resolve())
    stream.write('', () => resolve())
  })
}

/** What a service wrote is its log: a reader that stands still holds up no stop, and the rest of it is lost. */
export function endWithin(ms: number): void {
  setTimeout(() => process.exit(), ms).unref()
}
