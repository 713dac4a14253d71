export interface LogRecord<T> {
  readonly offset: number
  readonly key: string
  /** null: a tombstone. */
  readonly value: T | null
  /** The process that wrote it. */
  readonly writer: string
  readonly atMs: number
}

/** One partition of a topic: what is appended has a place, and compaction takes away what a later record replaces. */
export class LogModel<T> {
  #records: LogRecord<T>[] = []
  #endOffset = 0

  get endOffset(): number {
    return this.#endOffset
  }

  append(record: Omit<LogRecord<T>, 'offset'>): void {
    this.#records.push({ ...record, offset: this.#endOffset++ })
  }

  from(offset: number): readonly LogRecord<T>[] {
    let at = this.#records.length
    while (at > 0 && this.#records[at - 1]!.offset >= offset) at--
    return this.#records.slice(at)
  }

  /** Of the records older than `beforeMs`, only the last of each key is kept; a tombstone that is the last goes too. */
  compact(beforeMs: number): number {
    const last = new Map(this.#records.map(({ key, offset }) => [key, offset]))
    const kept = this.#records.filter(
      ({ key, offset, value, atMs }) => atMs >= beforeMs || (last.get(key) === offset && value !== null),
    )
    const gone = this.#records.length - kept.length
    this.#records = kept
    return gone
  }
}
