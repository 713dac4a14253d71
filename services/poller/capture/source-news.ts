import { toFreshetError } from '@freshet/errors/errors.ts'
import type { Log } from '@freshet/stage/log.ts'

/** What is told of the source in either mode: each thing once when it begins and once when it ends. */
export class SourceNews {
  readonly #log: Log
  readonly #what: 'shards' | 'indices'
  #isBlind = false
  #isEmpty = false
  #uncaptured: ReadonlySet<string> = new Set()

  /** @param what a look is at */
  constructor(log: Log, what: 'shards' | 'indices') {
    this.#log = log
    this.#what = what
  }

  cannotLook(error: unknown): void {
    if (!this.#isBlind)
      this.#log.warn(`cannot look at the ${this.#what}, trying again: ${toFreshetError(error).message}`)
    this.#isBlind = true
  }

  canLook(): void {
    if (this.#isBlind) this.#log.info('Elasticsearch answers again')
    this.#isBlind = false
  }

  /** What a look has shown. @param reasons why indices wait or are left out */
  tell({ reasons, isEmpty }: { readonly reasons: Iterable<string>; readonly isEmpty: boolean }): void {
    this.#uncaptured = tellDifference(this.#uncaptured, reasons, {
      begins: (reason) => this.#log.warn(`not captured: ${reason}`),
      ends: (reason) => this.#log.info(`no longer so: ${reason}`),
    })
    if (isEmpty && !this.#isEmpty)
      this.#log.warn('no index is there to capture; one is taken up when it appears')
    this.#isEmpty = isEmpty
  }
}

/** @returns what to compare with the next time */
export function tellDifference(
  before: ReadonlySet<string>,
  names: Iterable<string>,
  { begins, ends }: { begins: (name: string) => void; ends: (name: string) => void },
): ReadonlySet<string> {
  const now = new Set(names)
  for (const name of now) if (!before.has(name)) begins(name)
  for (const name of before) if (!now.has(name)) ends(name)
  return now
}
