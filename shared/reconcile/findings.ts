import { Buffer } from 'node:buffer'
import type { Finding } from './verify-report.ts'

/** Names of what was found, at most so many of each kind. */
export class Findings {
  readonly #maxOfKind: number
  readonly #byKind = new Map<Finding['kind'], Finding[]>()
  #beyondRepair = 0

  constructor(maxOfKind: number) {
    this.#maxOfKind = maxOfKind
  }

  /** How many were found that emitting cannot mend, also of those without a name here. */
  get beyondRepair(): number {
    return this.#beyondRepair
  }

  add(kind: Finding['kind'], key: Uint8Array | string, reason?: string): void {
    const there = this.#byKind.get(kind) ?? []
    this.#byKind.set(kind, there)
    if (there.length >= this.#maxOfKind) return
    const name = typeof key === 'string' ? key : Buffer.from(key).toString()
    there.push({ kind, key: name, ...(reason !== undefined && { reason }) })
  }

  /** @param reason with what helps instead */
  addBeyondRepair(kind: Finding['kind'], key: Uint8Array | string, reason: string): void {
    this.#beyondRepair++
    this.add(kind, key, reason)
  }

  addAll(others: Findings): void {
    this.#beyondRepair += others.#beyondRepair
    for (const { kind, key, reason } of [...others.#byKind.values()].flat()) this.add(kind, key, reason)
  }

  /** @param reasonOf for those that were set aside without one */
  list(reasonOf: (key: string) => string | undefined): Finding[] {
    return [...this.#byKind.values()].flat().map((finding) => {
      if (finding.kind !== 'setAside' || finding.reason !== undefined) return finding
      return { ...finding, reason: reasonOf(finding.key) ?? 'its reason is no longer kept' }
    })
  }

  has(kind: Finding['kind']): boolean {
    return (this.#byKind.get(kind)?.length ?? 0) > 0
  }
}
