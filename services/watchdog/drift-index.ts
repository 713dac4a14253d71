/** What scorers say of drift. Pure. */

const PSI = 'freshet.drift.psi.'

export interface DriftIndex {
  readonly output: string
  /** Population stability index. */
  readonly psi: number
}

/** Of each output, as the metrics of one heartbeat have it. */
export function driftIndices(metrics: Readonly<Record<string, number>>): readonly DriftIndex[] {
  return Object.entries(metrics)
    .filter(([name]) => name.startsWith(PSI))
    .map(([name, psi]) => ({ output: name.slice(PSI.length), psi }))
}
