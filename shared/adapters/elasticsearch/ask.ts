import type { Client } from '@elastic/elasticsearch'
import { checkWith } from '@freshet/records/parse-with.ts'
import type { z } from 'zod'
import { translateElasticsearchError } from './translate.ts'

export interface Question<T> {
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly querystring?: Readonly<Record<string, string | boolean>>
  readonly body?: object
  /** Of an answer with success: what else is in it is left out. */
  readonly schema: z.ZodType<T>
  /** For messages. */
  readonly doing: string
}

/**
 * One question to Elasticsearch, and its answer in the shape that it documents.
 * @throws HIT_MALFORMED for one of another shape, and as translateElasticsearchError has it
 */
export async function ask<T>(
  client: Client,
  { method = 'GET', path, querystring = {}, body, schema, doing }: Question<T>,
  signal?: AbortSignal,
): Promise<T> {
  try {
    const request = { method, path, querystring, ...(body !== undefined && { body }) }
    const answer = await client.transport.request<unknown>(request, { ...(signal && { signal }) })
    return inShape(schema, answer, doing)
  } catch (error) {
    throw translateElasticsearchError(error, doing)
  }
}

/**
 * What a call of the client's own gave: its types are a promise of the server's.
 * @throws HIT_MALFORMED
 */
export function inShape<T>(schema: z.ZodType<T>, answer: unknown, doing: string): T {
  return checkWith(schema, answer, { code: 'HIT_MALFORMED', what: `${doing}: the answer` })
}
