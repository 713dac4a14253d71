import { FreshetError } from '@freshet/errors/errors.ts'
import { QueryRefused, Visit } from './query-check.ts'
import { query as queryGrammar, sort as sortGrammar } from './query-grammar.ts'
import type { PoolQuery } from './template.ts'

/** What a caller may say of a pool in its own words. Which index is asked is not for it to say. */
export interface RawQuery {
  readonly query: Readonly<Record<string, unknown>>
  readonly sort?: readonly unknown[] | undefined
  /** Within the bounds that the route has checked. */
  readonly size?: number | undefined
}

const DEFAULT_SIZE = 100
/** Enough for any pool that is meant; a query that matches everything stops there. */
const TERMINATE_AFTER = 100_000

/** @throws REQUEST_INVALID naming what is not allowed */
export function rawPoolQuery({ query, sort, size = DEFAULT_SIZE }: RawQuery, index: string): PoolQuery {
  const visit = new Visit(new Map())
  try {
    queryGrammar(query, 'query', visit)
    if (sort !== undefined) sortGrammar(sort, 'sort', visit)
  } catch (error) {
    if (error instanceof QueryRefused)
      throw new FreshetError('REQUEST_INVALID', `${error.at}: ${error.message}`)
    throw error
  }
  return { index, query, sort, size, terminateAfter: TERMINATE_AFTER }
}
