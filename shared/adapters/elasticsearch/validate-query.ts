import type { Client } from '@elastic/elasticsearch'
import { z } from 'zod'
import { ask } from './ask.ts'

const validationSchema = z.object({
  valid: z.boolean(),
  error: z.string().optional(),
  explanations: z
    .array(z.object({ index: z.string(), valid: z.boolean(), error: z.string().optional() }))
    .optional(),
})

/** What Elasticsearch thinks of a query, for each index. */
type Validation = z.infer<typeof validationSchema>

/** @throws HIT_MALFORMED, and as translateElasticsearchError has it */
export function validateQuery(
  client: Client,
  index: string,
  { query, doing, signal }: { readonly query: object; readonly doing: string; readonly signal: AbortSignal },
): Promise<Validation> {
  const path = `/${encodeURIComponent(index)}/_validate/query`
  const question = { method: 'POST', path, querystring: { explain: true }, body: { query } } as const
  return ask(client, { ...question, schema: validationSchema, doing }, signal)
}
