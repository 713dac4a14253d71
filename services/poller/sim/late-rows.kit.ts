/**
 * Rows that arrive in an epoch that is dead on disk. A sweep that looks later finds them, as long as the epoch is not yet
 * buried; the others no sweep looks for: `freshet verify` tells them as extra.
 */
export class LateRows {
  /** Offset in `.changes` by `key@epoch`. */
  readonly #offsets = new Map<string, number>()
  /** By process: where `.changes` ended when its sweep last marked it. */
  readonly #marks = new Map<string, number>()

  arrived(document: string, epoch: number, offset: number): void {
    this.#offsets.set(`${document}@${epoch}`, offset)
  }

  /** The sweep of a process waits for a snapshot that holds everything before `endOffset`. */
  marked(process: string, endOffset: number): void {
    this.#marks.set(process, endOffset)
  }

  /** That sweep was final: what it had to find in these epochs, it has. */
  buried(process: string, epochs: readonly number[]): void {
    const mark = this.#marks.get(process) ?? 0
    for (const [row, offset] of this.#offsets)
      if (offset < mark && epochs.some((epoch) => row.endsWith(`@${epoch}`))) this.#offsets.delete(row)
  }

  isLeftToVerify(document: string, epoch: number): boolean {
    return this.#offsets.has(`${document}@${epoch}`)
  }
}
