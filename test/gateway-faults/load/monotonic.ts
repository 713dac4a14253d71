const nowMs = Number(process.hrtime.bigint()) / 1e6
const offsetMs = nowMs - performance.now()

/** Milliseconds of a clock that all processes of the machine share and nobody sets. */
export function monotonicMs(): number {
  return performance.now() + offsetMs
}
