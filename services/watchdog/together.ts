/** Works until its signal aborts, or it has nothing more to do. */
export type Loop = (signal: AbortSignal) => Promise<void>

/**
 * Several loops beside each other, until `signal` aborts or one of them fails: then all are told to end, and this ends after
 * the last of them.
 * @throws what the first one failed with
 */
export async function together(loops: readonly Loop[], signal: AbortSignal): Promise<void> {
  const failed = new AbortController()
  const all = loops.map((loop) => loop(AbortSignal.any([signal, failed.signal])))
  try {
    await Promise.all(all)
  } finally {
    failed.abort()
    await Promise.allSettled(all)
  }
}
