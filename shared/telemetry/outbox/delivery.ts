import type { FreshetError } from '@freshet/errors/errors.ts'

/** What became of each item of one request. */
export interface Delivery<Item> {
  /** The other side has them, perhaps since an earlier try. */
  readonly written: readonly Item[]
  /** Too much at once, or not now. */
  readonly retry: readonly Item[]
  /** A retry cannot help. */
  readonly refused: readonly Item[]
  /** Why, of the first refused one. */
  readonly refusal?: string
  /** Why none was taken, when the request as a whole failed; or why some are held up until somebody mends it there. */
  readonly error?: FreshetError
  /** How long the other side asked us to wait. */
  readonly retryAfterMs?: number
}

/** One request with some items; ends when the signal aborts. When it throws, all of them are tried again. */
export type Deliver<Item> = (items: readonly Item[], signal: AbortSignal) => Promise<Delivery<Item>>
