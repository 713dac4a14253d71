/** Milliseconds of a clock that all threads of a process share. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}
