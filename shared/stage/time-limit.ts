import type { Clock } from './clock.ts'

/** A signal that aborts with `signal`, and by itself `limitMs` later. Dispose it when the work is over. */
export function timeLimit(
  limitMs: number,
  { clock, signal }: { readonly clock: Pick<Clock, 'sleep'>; readonly signal: AbortSignal },
): { readonly signal: AbortSignal } & Disposable {
  const late = new AbortController()
  const done = new AbortController()
  void clock.sleep(limitMs, AbortSignal.any([signal, done.signal])).then(() => {
    if (!done.signal.aborted) late.abort(new DOMException(`${limitMs} ms are over`, 'TimeoutError'))
  })
  return { signal: AbortSignal.any([signal, late.signal]), [Symbol.dispose]: () => done.abort() }
}
