import { z } from 'zod'
import { CORE_VERSION, TYPE_VERSIONS } from '../export/saved-object.ts'
import { parseKql } from '../kql/parse-kql.kit.ts'

/** Takes one sentence about something that is wrong. */
export type Tell = (what: string) => void

export const KNOWN_TYPES: readonly string[] = Object.keys(TYPE_VERSIONS)

const text = z.string().min(1)

/**
 * What stands around the attributes. A version above what the server knows is refused ("belongs to a more recent version
 * of Kibana"); without one every migration since the beginning runs, and breaks Lens.
 */
export const envelopeSchema = z
  .strictObject({
    type: text,
    id: z.string().regex(/^[a-z0-9-]{1,100}$/, 'an id in an address: small letters, digits and -'),
    attributes: z.record(z.string(), z.unknown()),
    references: z.array(z.strictObject({ type: text, id: text, name: text })),
    coreMigrationVersion: z.literal(CORE_VERSION),
    typeMigrationVersion: z.string(),
    managed: z.boolean().optional(),
  })
  .refine(
    ({ type, typeMigrationVersion }) => {
      const known: Readonly<Record<string, string>> = TYPE_VERSIONS
      return !(type in known) || typeMigrationVersion === known[type]
    },
    { path: ['typeMigrationVersion'], error: 'is not that of the shape that is written here' },
  )

export type ReadObject = z.infer<typeof envelopeSchema>

/** @returns undefined when `value` has another shape, which is told. */
export function tellShape<T>(schema: z.ZodType<T>, value: unknown, tell: Tell): T | undefined {
  const { success, data, error } = schema.safeParse(value)
  if (success) return data
  for (const { path, message } of error.issues) tell(`${path.join('.') || 'it'}: ${message}`)
  return undefined
}

/** Text that holds JSON of this shape, as Kibana keeps much of what it stores. */
export function jsonText<T>(schema: z.ZodType<T>) {
  return z.string().transform((json, context) => {
    let value: unknown
    try {
      value = JSON.parse(json)
    } catch {
      context.addIssue('does not hold JSON')
      return z.NEVER
    }
    const { success, data, error } = schema.safeParse(value)
    if (success) return data
    for (const { path, message } of error.issues) context.addIssue(`${path.join('.') || 'it'}: ${message}`)
    return z.NEVER
  })
}

/** A query in KQL that can be read. */
export const kqlSchema = z.strictObject({
  language: z.literal('kuery'),
  query: z.string().superRefine((query, context) => {
    try {
      parseKql(query)
    } catch (error) {
      context.addIssue(`is no KQL: ${(error as Error).message}`)
    }
  }),
})

export const titleSchema = text
