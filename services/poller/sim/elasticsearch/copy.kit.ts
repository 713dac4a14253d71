/** One version of one document. */
export interface Operation {
  readonly seqNo: number
  readonly primaryTerm: number
  /** null: a no-op that fills a hole. */
  readonly id: string | null
  /** A marked document is one that some scopes leave out: a filter, a soft delete. */
  readonly kind: 'document' | 'marked' | 'delete'
  /** What it weighs in a page. */
  readonly bytes: number
}

interface Entry {
  readonly operation: Operation
  /** Survives a restart. */
  isSynced: boolean
  /** False: set aside when a new primary was met; it comes back when this copy is promoted. */
  isApplied: boolean
}

/**
 * One copy of a shard: the operations that have reached it, in whatever order, and what its last refresh made visible.
 * As in Elasticsearch, the newest operation of a document is the one with the highest sequence number.
 */
export class Copy {
  readonly node: string
  readonly allocationId: string
  /** The primary term that it has met last. */
  term: number
  /** The global checkpoint as this copy knows it; it never falls within the life of a copy. */
  knownCheckpoint: number
  deleteTotal = 0
  /** What a snapshot or a shrink brought: numbers up to here are all taken, and may repeat. */
  readonly #base: readonly Operation[]
  readonly #baseSeqNo: number
  readonly #entries = new Map<number, Entry>()
  #unsynced: Entry[] = []
  #syncedCheckpoint: number
  #current = new Map<string, Operation>()
  #visible: ReadonlyMap<string, Operation> = new Map()

  constructor(place: { node: string; allocationId: string }, term: number, base: readonly Operation[] = []) {
    this.node = place.node
    this.allocationId = place.allocationId
    this.term = term
    this.#base = base
    this.#baseSeqNo = Math.max(-1, ...base.map(({ seqNo }) => seqNo))
    this.#syncedCheckpoint = this.knownCheckpoint = this.#baseSeqNo
    this.#openEngine()
  }

  /** Every operation up to here is here and survives a restart. */
  get localCheckpoint(): number {
    for (;;) {
      const entry = this.#entries.get(this.#syncedCheckpoint + 1)
      if (entry === undefined || !entry.isSynced || !entry.isApplied) return this.#syncedCheckpoint
      this.#syncedCheckpoint++
    }
  }

  get maxSeqNo(): number {
    return Math.max(this.#baseSeqNo, ...this.#entries.keys())
  }

  get hasHole(): boolean {
    let next = this.localCheckpoint + 1
    while (this.has(next)) next++
    return next < this.maxSeqNo
  }

  /** Current documents and deletes by id. */
  get current(): ReadonlyMap<string, Operation> {
    return this.#current
  }

  has(seqNo: number): boolean {
    return seqNo <= this.#baseSeqNo || this.#entries.get(seqNo)?.isApplied === true
  }

  operationAt(seqNo: number): Operation | undefined {
    return this.#entries.get(seqNo)?.operation
  }

  /** Everything that it has, oldest number first. */
  operations(): Operation[] {
    const applied = [...this.#entries.values()].filter(({ isApplied }) => isApplied)
    return [...this.#base, ...applied.map(({ operation }) => operation).sort((a, b) => a.seqNo - b.seqNo)]
  }

  apply(operation: Operation): void {
    const there = this.#entries.get(operation.seqNo)
    const isReplaced = there !== undefined && there.operation.primaryTerm !== operation.primaryTerm
    const entry = { operation, isSynced: there?.isSynced ?? false, isApplied: true }
    this.#entries.set(operation.seqNo, entry)
    if (!entry.isSynced) this.#unsynced.push(entry)
    if (operation.kind === 'delete') this.deleteTotal++
    if (isReplaced) this.#rebuild()
    else this.#makeCurrent(operation)
  }

  sync(): void {
    for (const entry of this.#unsynced) entry.isSynced = true
    this.#unsynced = []
  }

  refresh(): void {
    this.#visible = new Map(this.#current)
  }

  /** What a search sees, by number. */
  visible(): Operation[] {
    return [...this.#visible.values()]
      .filter(({ kind }) => kind !== 'delete')
      .sort((a, b) => a.seqNo - b.seqNo)
  }

  /**
   * A replica meets a new primary: what lies above the checkpoint is set aside until that primary sends it again, and
   * what lies above all that the primary has is dropped.
   */
  meetPrimary(term: number, { checkpoint, maxSeqNo }: { checkpoint: number; maxSeqNo: number }): void {
    this.term = term
    this.knownCheckpoint = Math.max(this.knownCheckpoint, checkpoint)
    for (const [seqNo, entry] of this.#entries)
      if (seqNo > maxSeqNo) this.#entries.delete(seqNo)
      else if (seqNo > this.knownCheckpoint) entry.isApplied = false
    this.#unsynced = this.#unsynced.filter(({ operation }) => this.#entries.has(operation.seqNo))
    this.#openEngine()
  }

  /** It becomes the primary: what it had set aside counts again, and no-ops of the new term fill its holes. */
  promote(term: number): void {
    this.term = term
    for (const entry of this.#entries.values()) if (!entry.isApplied) this.#applyAgain(entry)
    const maxSeqNo = this.maxSeqNo
    for (let seqNo = this.knownCheckpoint + 1; seqNo <= maxSeqNo; seqNo++)
      if (!this.has(seqNo)) this.apply({ seqNo, primaryTerm: term, id: null, kind: 'document', bytes: 0 })
  }

  /** The process dies and comes back: what was not on disk is gone, the rest is visible, counters begin anew. */
  restart(): void {
    for (const { operation } of this.#unsynced) this.#entries.delete(operation.seqNo)
    this.#unsynced = []
    this.deleteTotal = 0
    this.#openEngine()
  }

  /** A copy recovered from this one: it has what this one has, on disk and visible. */
  recoverTo(place: { node: string; allocationId: string }): Copy {
    const copy = new Copy(place, this.term, this.#base)
    for (const { operation, isApplied } of this.#entries.values()) if (isApplied) copy.apply(operation)
    copy.sync()
    copy.refresh()
    copy.deleteTotal = 0
    copy.knownCheckpoint = this.knownCheckpoint
    return copy
  }

  #applyAgain(entry: Entry): void {
    entry.isApplied = true
    this.#makeCurrent(entry.operation)
  }

  #makeCurrent(operation: Operation): void {
    if (operation.id === null) return
    const there = this.#current.get(operation.id)
    if (there === undefined || there.seqNo < operation.seqNo) this.#current.set(operation.id, operation)
  }

  #rebuild(): void {
    this.#current = new Map()
    for (const operation of this.#base) this.#makeCurrent(operation)
    for (const { operation, isApplied } of this.#entries.values()) if (isApplied) this.#makeCurrent(operation)
  }

  #openEngine(): void {
    this.#syncedCheckpoint = Math.max(this.#baseSeqNo, Math.min(this.#syncedCheckpoint, this.knownCheckpoint))
    this.#rebuild()
    this.refresh()
  }
}
