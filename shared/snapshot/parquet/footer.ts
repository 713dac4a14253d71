import { FreshetError } from '@freshet/errors/errors.ts'
import { checkWith, parseJson } from '@freshet/records/parse-with.ts'
import type { RowsSchema } from '@freshet/records/stored-rows.ts'
import type { KeyValue } from 'hyparquet'
import { z } from 'zod'

/**
 * What a snapshot file says of itself beside its columns, as JSON under the key `freshet` of its key-value metadata: the
 * outputs in the order of their columns, and which model stands behind each generation.
 */
const footerSchema = z.object({
  version: z.literal(1),
  outputs: z.array(z.string()),
  models: z.record(
    z.string().regex(/^\d+$/),
    z.object({ name: z.string(), version: z.string(), outputs: z.array(z.string()) }),
  ),
})

const KEY = 'freshet'
const NAMING = { code: 'SNAPSHOT_CORRUPT', what: 'footer of a snapshot file' } as const

export function encodeFooter({ outputs, models }: RowsSchema): KeyValue[] {
  return [{ key: KEY, value: JSON.stringify({ version: 1, outputs, models: Object.fromEntries(models) }) }]
}

/** @throws RECORD_VERSION, SNAPSHOT_CORRUPT */
export function decodeFooter(metadata: readonly KeyValue[] | undefined): RowsSchema {
  const value = parseJson(metadata?.find(({ key }) => key === KEY)?.value ?? 'null', NAMING)
  const version = (value as { version?: unknown } | null)?.version
  if (version !== 1)
    throw new FreshetError('RECORD_VERSION', `snapshot file version ${version}, this build reads 1`)
  const { outputs, models } = checkWith(footerSchema, value, NAMING)
  const byGeneration = Object.entries(models).map(
    ([generation, model]) => [Number(generation), model] as const,
  )
  return { outputs, models: new Map(byGeneration) }
}
