import type { Chance } from '../chance.kit.ts'
import { Copy, type Operation } from './copy.kit.ts'

const NODES = ['n1', 'n2', 'n3', 'n4']

/** Sequence numbers that are ahead of the first missing one and may still reach a replica before it. */
const REORDERING = 5

/** What a request to the primary of a shard would answer. */
export interface ShardAnswer {
  readonly node: string
  readonly allocationId: string
  readonly primaryTerm: number
  readonly historyUuid: string
  readonly globalCheckpoint: number
  readonly maxSeqNo: number
  readonly deleteTotal: number
}

type Write = Pick<Operation, 'id' | 'kind' | 'bytes'>

/**
 * A shard as a replication group: a primary that numbers the writes, replicas that get them out of order, and a global
 * checkpoint that the primary derives from what it has heard of the in-sync copies. Modelled after Elasticsearch's own
 * rules and what real clusters did.
 */
export class ShardModel {
  readonly documentIds: readonly string[]
  readonly #chance: Chance
  readonly #newId: (prefix: string) => string
  #primary: Copy
  /** In sync: no write is acknowledged, and no checkpoint moves, without them. */
  #replicas: Copy[] = []
  /** Fallen out of the in-sync copies; one can only become the primary by force. */
  #fallen: Copy[] = []
  /** A former primary that is cut off, does not know it, and still answers searches. */
  #ghost: Copy | undefined
  #term: number
  #historyUuid: string
  #heard = new Map<Copy, number>()
  /** A replica that nothing reaches for a while, and that is not yet given up. */
  #hung: Copy | undefined
  /** Replication and disks are slow: the primary goes on, and the checkpoint stays where it is. */
  #isStalled = false
  /** Numbered by the primary and not yet indexed: holes that another thread is about to fill. */
  #numbered: Operation[] = []
  #nextSeqNo: number
  /** What the primary had when it became one: of older terms, nothing above it can come back. */
  #promotedMaxSeqNo = -1
  /** The highest global checkpoint that anyone was ever told in this history. */
  promisedCheckpoint = -1
  #backup: readonly Operation[] = []

  constructor(
    { chance, newId }: { chance: Chance; newId: (prefix: string) => string },
    documentIds: readonly string[],
    { term, base }: { term: number; base: readonly Operation[] } = { term: 1, base: [] },
  ) {
    this.#chance = chance
    this.#newId = newId
    this.documentIds = documentIds
    this.#term = term
    this.#historyUuid = newId('h')
    this.#primary = new Copy(this.#newPlace([]), term, base)
    this.#nextSeqNo = this.#primary.maxSeqNo + 1
    this.#promise()
    for (let replicas = chance.below(3); replicas > 0; replicas--) this.join()
  }

  get answer(): ShardAnswer {
    const { node, allocationId, knownCheckpoint, deleteTotal } = this.#primary
    return {
      node,
      allocationId,
      primaryTerm: this.#term,
      historyUuid: this.#historyUuid,
      globalCheckpoint: knownCheckpoint,
      maxSeqNo: this.#nextSeqNo - 1,
      deleteTotal,
    }
  }

  get hasReplica(): boolean {
    return this.#replicas.length > 0
  }

  get hasFallen(): boolean {
    return this.#fallen.length > 0
  }

  /** Operations above the checkpoint are the current ones of documents. */
  get isHiding(): boolean {
    for (const { seqNo } of this.truth.values()) if (seqNo > this.#primary.knownCheckpoint) return true
    return false
  }

  /** Some copy has an operation, and not all before it. */
  get hasHole(): boolean {
    return [this.#primary, ...this.#replicas].some((copy) => copy.hasHole)
  }

  /** The truth: current operations of the primary by document, deletes among them. */
  get truth(): ReadonlyMap<string, Operation> {
    return this.#primary.current
  }

  /** What a search on `node` sees, by number; undefined when no copy is there. */
  searchOn(node: string, canReachGhost: boolean): Operation[] | undefined {
    if (canReachGhost && this.#ghost?.node === node) return this.#ghost.visible()
    return [this.#primary, ...this.#replicas].find((copy) => copy.node === node)?.visible()
  }

  /** The primary gives the write a number; it may be indexed only later, but a document's writes keep their order. */
  write(write: Write): void {
    const before = this.#numbered.find(({ id }) => id === write.id)
    if (before !== undefined) this.#index(before)
    const operation = { ...write, seqNo: this.#nextSeqNo++, primaryTerm: this.#term }
    this.#numbered.push(operation)
    if (this.#chance.happens(0.8)) this.#index(operation)
  }

  /** Some of what is under way between the copies happens: each part of it may fall behind the others. */
  replicate(): void {
    const chance = this.#chance
    const late = chance.pick(this.#numbered)
    if (late !== undefined) this.#index(late)
    if (this.#isStalled) return
    for (const replica of this.#replicas) {
      if (replica === this.#hung) continue
      if (chance.happens(0.6)) this.#deliverTo(replica)
      if (chance.happens(0.5)) replica.sync()
      if (chance.happens(0.6)) this.#hearOf(replica)
    }
    if (chance.happens(0.5)) this.#primary.sync()
    if (chance.happens(0.7)) this.#moveCheckpoint()
  }

  /** The index's own refresh, of one copy. */
  refreshOne(): void {
    this.#chance.pick([this.#primary, ...this.#replicas])?.refresh()
  }

  refreshAll(): void {
    for (const copy of [this.#primary, ...this.#replicas]) copy.refresh()
  }

  /** The primary's node is lost and an in-sync replica takes over, without what had not reached it. */
  failOver(): void {
    const next = this.#chance.pick(this.#replicas)!
    this.#ghost = this.#chance.happens(0.4) ? this.#primary : undefined
    this.#replicas = this.#replicas.filter((copy) => copy !== next)
    this.#lead(next)
  }

  /** The primary that was cut off goes on by itself: nothing of this is ever acknowledged. */
  writeToGhost(write: Write): void {
    const ghost = this.#ghost
    if (ghost === undefined) return
    ghost.apply({ ...write, seqNo: ghost.maxSeqNo + 1, primaryTerm: ghost.term })
    ghost.refresh()
  }

  endGhost(): void {
    this.#ghost = undefined
  }

  /** All copies restart, and any in-sync one is the primary. The checkpoint on its disk may be an older one. */
  restart(): void {
    const copies = [this.#primary, ...this.#replicas]
    this.#ghost = undefined
    for (const copy of copies) {
      copy.knownCheckpoint = Math.max(-1, copy.knownCheckpoint - this.#chance.below(4))
      copy.restart()
    }
    const next = this.#chance.pick(copies)!
    this.#replicas = copies.filter((copy) => copy !== next)
    this.#lead(next)
  }

  /** A replica falls out of the in-sync copies: the checkpoint no longer waits for it. */
  fallOut(): void {
    const replica = this.#chance.pick(this.#replicas)
    if (replica === undefined) return
    this.#replicas = this.#replicas.filter((copy) => copy !== replica)
    this.#heard.delete(replica)
    this.#fallen = [replica]
    this.#moveCheckpoint()
  }

  hang(): void {
    this.#hung = this.#chance.pick(this.#replicas)
  }

  stall(): void {
    this.#isStalled = true
  }

  /** What had hung or stalled goes on. */
  goOn(): void {
    this.#hung = undefined
    this.#isStalled = false
  }

  /** A copy is built from the primary, and is in sync once it has all that the primary has promised. */
  join(): void {
    if (this.#replicas.length === 2) return
    const copy = this.#primary.recoverTo(this.#newPlace([this.#primary, ...this.#replicas]))
    if (copy.localCheckpoint < this.#primary.knownCheckpoint) return
    this.#fallen = this.#fallen.filter(({ node }) => node !== copy.node)
    if (this.#ghost?.node === copy.node) this.#ghost = undefined
    this.#replicas.push(copy)
    this.#heard.set(copy, copy.localCheckpoint)
  }

  /** The primary moves to another node with all that it has; no term changes, only the place. */
  relocate(): void {
    while (this.#numbered.length > 0) this.#index(this.#numbered[0]!)
    this.#primary = this.#primary.recoverTo(this.#newPlace([this.#primary, ...this.#replicas]))
    this.#ghost = undefined
    this.#moveCheckpoint()
  }

  /** Everything is on all copies and on disk. */
  settle(): void {
    while (this.#numbered.length > 0) this.#index(this.#numbered[0]!)
    this.#ghost = undefined
    this.#primary.sync()
    for (const replica of this.#replicas) {
      while (replica.term !== this.#term || replica.localCheckpoint < this.#nextSeqNo - 1) {
        this.#deliverTo(replica)
        replica.sync()
      }
      this.#hearOf(replica)
    }
    this.#moveCheckpoint()
  }

  /** Closed and opened: nothing is lost, the term moves by two, counters begin anew. */
  reopen(): void {
    this.settle()
    this.#term++
    for (const copy of [this.#primary, ...this.#replicas]) copy.restart()
    this.#lead(this.#primary)
  }

  backUp(): void {
    this.#backup = this.#primary.operations()
  }

  /** The backup is restored over the shard: another history, in which numbers may be lower. */
  restore(): void {
    this.#beginHistory(new Copy(this.#newPlace([]), this.#term, this.#backup))
  }

  /** An operator accepts the loss of data: a copy that had fallen out becomes the primary. */
  forceStalePrimary(): void {
    const [stale] = this.#fallen
    stale!.restart()
    this.#beginHistory(stale!)
  }

  #beginHistory(primary: Copy): void {
    this.#historyUuid = this.#newId('h')
    this.#replicas = []
    this.#fallen = []
    this.#ghost = undefined
    this.promisedCheckpoint = -1
    this.#lead(primary)
    primary.sync()
    this.#moveCheckpoint()
  }

  #lead(primary: Copy): void {
    this.#term += 1 + this.#chance.below(2)
    primary.promote(this.#term)
    this.#primary = primary
    this.#numbered = []
    this.#heard = new Map()
    this.#nextSeqNo = primary.maxSeqNo + 1
    this.#promotedMaxSeqNo = primary.maxSeqNo
    for (let seqNo = 0; seqNo <= this.promisedCheckpoint; seqNo++)
      if (!primary.has(seqNo)) throw new Error(`the model lost ${seqNo}, which it had promised to keep`)
  }

  #index(operation: Operation): void {
    this.#numbered = this.#numbered.filter((other) => other !== operation)
    this.#primary.apply(operation)
  }

  #deliverTo(replica: Copy): void {
    const { knownCheckpoint } = this.#primary
    if (replica.term !== this.#term)
      replica.meetPrimary(this.#term, { checkpoint: knownCheckpoint, maxSeqNo: this.#promotedMaxSeqNo })
    const missing: Operation[] = []
    for (let seqNo = replica.localCheckpoint + 1, to = seqNo + REORDERING * 3; seqNo < to; seqNo++) {
      const operation = this.#primary.has(seqNo) ? this.#primary.operationAt(seqNo) : undefined
      if (operation !== undefined && !replica.has(seqNo)) missing.push(operation)
      if (missing.length === REORDERING) break
    }
    const next = this.#chance.pick(missing)
    if (next !== undefined) replica.apply(next)
    if (this.#chance.happens(0.5))
      replica.knownCheckpoint = Math.max(
        replica.knownCheckpoint,
        Math.min(knownCheckpoint, replica.localCheckpoint),
      )
  }

  /** The primary hears how far a replica is. */
  #hearOf(replica: Copy): void {
    if (replica.term === this.#term) this.#heard.set(replica, replica.localCheckpoint)
  }

  #moveCheckpoint(): void {
    const heard = this.#replicas.map((replica) => this.#heard.get(replica) ?? -1)
    const checkpoint = Math.min(this.#primary.localCheckpoint, ...heard)
    this.#primary.knownCheckpoint = Math.max(this.#primary.knownCheckpoint, checkpoint)
    this.#promise()
  }

  #promise(): void {
    this.promisedCheckpoint = Math.max(this.promisedCheckpoint, this.#primary.knownCheckpoint)
  }

  #newPlace(taken: readonly Copy[]): { node: string; allocationId: string } {
    const free = NODES.filter((node) => taken.every((copy) => copy.node !== node))
    return { node: this.#chance.pick(free)!, allocationId: this.#newId('a') }
  }
}
