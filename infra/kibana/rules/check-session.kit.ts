import { z } from 'zod'
import { jsonText, kqlSchema, type ReadObject, type Tell, tellShape, titleSchema } from './envelope.kit.ts'

const sessionSchema = z.strictObject({
  title: titleSchema,
  description: z.string(),
  columns: z.array(z.string().min(1)).min(1),
  sort: z.array(z.tuple([z.string().min(1), z.enum(['asc', 'desc'])])).min(1),
  grid: z.strictObject({}),
  hideChart: z.boolean(),
  kibanaSavedObjectMeta: z.strictObject({
    searchSourceJSON: jsonText(
      z.strictObject({ query: kqlSchema, filter: z.tuple([]), indexRefName: z.string().min(1) }),
    ),
  }),
})

export function checkSession({ attributes, references }: ReadObject, tell: Tell): void {
  const session = tellShape(sessionSchema, attributes, tell)
  if (session === undefined) return
  const { indexRefName } = session.kibanaSavedObjectMeta.searchSourceJSON
  if (
    references.length !== 1 ||
    references[0]!.name !== indexRefName ||
    references[0]!.type !== 'index-pattern'
  )
    tell(`its one reference is to be a data view, called ${indexRefName}`)
  if (new Set(session.columns).size < session.columns.length) tell('a column is there twice')
}
