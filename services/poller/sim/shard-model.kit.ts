import type { ShardIdentity } from '@freshet/records/cursor.ts'

export interface Operation {
  readonly seqNo: number
  readonly primaryTerm: number
  /** null: a no-op that fills a hole. */
  readonly id: string | null
  readonly isDelete: boolean
}

/**
 * A primary shard as the poller can see it: operations, a global checkpoint that trails them, searches that see only
 * what was refreshed, failovers that drop what lies above the checkpoint. Modelled after what real clusters did.
 */
export class ShardModel {
  #operations: Operation[] = []
  #visible: readonly Operation[] = []
  #identity: ShardIdentity = {
    indexUuid: 'u',
    historyUuid: 'h1',
    node: 'n1',
    allocationId: 'a1',
    primaryTerm: 1,
  }
  globalCheckpoint = -1
  #changes = 1

  get identity(): ShardIdentity {
    return { ...this.#identity }
  }

  get maxSeqNo(): number {
    return this.#operations.length - 1
  }

  write(id: string, isDelete: boolean): void {
    this.#append(id, isDelete)
  }

  hole(): void {
    this.#append(null, false)
  }

  replicate(through: number): void {
    this.globalCheckpoint = Math.max(this.globalCheckpoint, Math.min(through, this.maxSeqNo))
  }

  refresh(): void {
    this.#visible = [...this.#operations]
  }

  /** A replica that has the first `kept` operations becomes the primary; it has refreshed `visible` of them. */
  promote(kept: number, visible: number): void {
    this.#cutTo(kept, visible)
    this.#identity = {
      ...this.#identity,
      node: `n${++this.#changes}`,
      allocationId: `a${this.#changes}`,
      primaryTerm: this.#identity.primaryTerm + 1,
    }
  }

  /** The only copy restarts without what was not yet on its disk: only the term tells. */
  restart(kept: number): void {
    this.#cutTo(kept, this.#operations.length)
    this.#identity = { ...this.#identity, primaryTerm: this.#identity.primaryTerm + 1 }
  }

  /** A snapshot is restored over the index: also operations below the checkpoint are gone. */
  restore(kept: number): void {
    this.#operations = this.#operations.slice(0, kept)
    this.#visible = [...this.#operations]
    this.globalCheckpoint = this.maxSeqNo
    this.#identity = {
      ...this.#identity,
      historyUuid: `h${++this.#changes}`,
      primaryTerm: this.#identity.primaryTerm + 1,
    }
  }

  /** What a search of this shard answers: current documents among the refreshed operations. */
  search({
    from,
    toSeqNo,
    rows,
  }: {
    from: { seqNo: number; inclusive: boolean }
    toSeqNo: number
    rows: number
  }): Operation[] {
    return this.#current(this.#visible)
      .filter(({ seqNo }) => (from.inclusive ? seqNo >= from.seqNo : seqNo > from.seqNo) && seqNo <= toSeqNo)
      .slice(0, rows)
  }

  /** The truth: every live document with the operation that made it. */
  live(): Operation[] {
    return this.#current(this.#operations)
  }

  #append(id: string | null, isDelete: boolean): void {
    this.#operations.push({
      seqNo: this.#operations.length,
      primaryTerm: this.#identity.primaryTerm,
      id,
      isDelete,
    })
  }

  #cutTo(kept: number, visible: number): void {
    this.#operations = this.#operations.slice(0, Math.max(kept, this.globalCheckpoint + 1))
    this.#visible = this.#operations.slice(0, visible)
  }

  #current(operations: readonly Operation[]): Operation[] {
    const latest = new Map<string, Operation>()
    for (const operation of operations) if (operation.id !== null) latest.set(operation.id, operation)
    return [...latest.values()].filter(({ isDelete }) => !isDelete).sort((a, b) => a.seqNo - b.seqNo)
  }
}
