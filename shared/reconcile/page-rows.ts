import type { PageTooLarge } from '@freshet/adapters/elasticsearch/read-page.ts'

/** How many to ask for at once: half of it after a page that was too large, and a quarter more after each that was not. */
export class PageRows {
  readonly #most: number
  #count: number

  /** @param most from 1 */
  constructor(most: number) {
    this.#most = most
    this.#count = most
  }

  get count(): number {
    return this.#count
  }

  /** The page was not too large. */
  grow(): void {
    this.#count = Math.min(this.#most, this.#count + Math.max(1, this.#count >>> 2))
  }

  /** The page was. @throws the error itself when one alone was too large: asking again would not end */
  shrink(asked: number, error: PageTooLarge): void {
    if (asked === 1) throw error
    this.#count = asked >>> 1
  }
}
