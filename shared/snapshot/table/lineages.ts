/** What many rows of a snapshot share of their rank: the incarnation of a shard, its term, and the model. */
export interface Lineage {
  readonly epoch: number
  readonly primaryTerm: number
  readonly modelGeneration: number
}

/** Numbers lineages from 0 in the order in which they are met, so that a row keeps one number instead of three. */
export class Lineages {
  readonly #all: Lineage[] = []
  /** Open addressing: number + 1, 0 is empty. */
  #slots = new Uint32Array(64)

  at(id: number): Lineage {
    return this.#all[id]!
  }

  idOf(epoch: number, primaryTerm: number, modelGeneration: number): number {
    let slot = this.#slotOf(epoch, primaryTerm, modelGeneration)
    for (let id: number; (id = this.#slots[slot]!) !== 0; slot = this.#next(slot)) {
      const there = this.#all[id - 1]!
      if (
        there.epoch === epoch &&
        there.primaryTerm === primaryTerm &&
        there.modelGeneration === modelGeneration
      )
        return id - 1
    }
    return this.#add({ epoch, primaryTerm, modelGeneration })
  }

  #add(lineage: Lineage): number {
    if (this.#all.push(lineage) * 2 > this.#slots.length)
      this.#slots = new Uint32Array(this.#slots.length * 2)
    else return this.#place(this.#all.length - 1)
    for (let id = 0; id < this.#all.length; id++) this.#place(id)
    return this.#all.length - 1
  }

  #place(id: number): number {
    const { epoch, primaryTerm, modelGeneration } = this.#all[id]!
    let slot = this.#slotOf(epoch, primaryTerm, modelGeneration)
    while (this.#slots[slot] !== 0) slot = this.#next(slot)
    this.#slots[slot] = id + 1
    return id
  }

  #slotOf(epoch: number, primaryTerm: number, modelGeneration: number): number {
    const mixed = Math.imul(
      (epoch | 0) ^ Math.imul(primaryTerm, 0x9e3779b1) ^ Math.imul(modelGeneration, 0x85ebca6b),
      0xc2b2ae35,
    )
    return (mixed ^ (mixed >>> 15)) & (this.#slots.length - 1)
  }

  #next(slot: number): number {
    return (slot + 1) & (this.#slots.length - 1)
  }
}
