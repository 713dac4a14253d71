/**
 * A signal that aborts `graceMs` after `signal` does: what was begun may finish, but not for ever.
 * Dispose it when the work is over.
 */
export function withGrace(
  signal: AbortSignal,
  graceMs: number,
): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const begin = () => {
    timer = setTimeout(() => controller.abort(signal.reason), graceMs)
    timer.unref()
  }
  if (signal.aborted) begin()
  else signal.addEventListener('abort', begin, { once: true })
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      signal.removeEventListener('abort', begin)
      clearTimeout(timer)
    },
  }
}
