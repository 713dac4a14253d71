import type { Family } from '../metrics/prometheus-text.ts'

/** The same families of several workers as one, every sample with its worker's number. */
export function joinFamilies(byWorker: ReadonlyMap<number, readonly Family[]>): Family[] {
  const joined = new Map<string, Family>()
  for (const [worker, families] of [...byWorker].toSorted(([a], [b]) => a - b))
    for (const family of families) {
      const samples = family.samples.map((sample) => ({
        ...sample,
        labels: { ...sample.labels, worker: `${worker}` },
      }))
      const others = joined.get(family.name)?.samples ?? []
      joined.set(family.name, { ...family, samples: [...others, ...samples] })
    }
  return [...joined.values()]
}
