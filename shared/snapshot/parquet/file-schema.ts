import { FreshetError } from '@freshet/errors/errors.ts'
import { checkWith, parseJson } from '@freshet/records/parse-with.ts'
import { isModelLabel, modelLabel } from '@freshet/records/score-batch.ts'
import type { RowsSchema } from '@freshet/records/stored-rows.ts'
import type { KeyValue } from 'hyparquet'
import { z } from 'zod'

/**
 * The schema of a file's rows beside its columns, as JSON under the key `freshet` of the footer's key-value metadata: the
 * outputs in the order of their columns, and which model stands behind each generation.
 */
const recordSchema = z.object({
  version: z.literal(1),
  outputs: z.array(z.string()),
  models: z.record(
    z.string().regex(/^\d+$/),
    z.object({ name: z.string(), version: z.string(), outputs: z.array(z.string()) }),
  ),
})

const KEY = 'freshet'
const NAMING = { code: 'SNAPSHOT_CORRUPT', what: 'footer of a snapshot file' } as const

export function encodeFileSchema({ outputs, models }: RowsSchema): KeyValue[] {
  return [{ key: KEY, value: JSON.stringify({ version: 1, outputs, models: Object.fromEntries(models) }) }]
}

/** @throws RECORD_VERSION, SNAPSHOT_CORRUPT */
export function decodeFileSchema(metadata: readonly KeyValue[] | undefined): RowsSchema {
  const value = parseJson(metadata?.find(({ key }) => key === KEY)?.value ?? 'null', NAMING)
  const version = (value as { version?: unknown } | null)?.version
  if (version !== 1) {
    const told = typeof version === 'number' ? version : 'unknown' // whatever else stands there may have no text
    throw new FreshetError('RECORD_VERSION', `snapshot file version ${told}, this build reads 1`)
  }
  const { outputs, models } = checkWith(recordSchema, value, NAMING)
  for (const { name, version, outputs: own } of Object.values(models)) {
    if (!own.every((output) => outputs.includes(output)))
      throw new FreshetError('SNAPSHOT_CORRUPT', `${NAMING.what}: an output of ${name} has no column`)
    // A refill puts it into lines of Redis, which would not be read again.
    if (!isModelLabel(modelLabel({ name, version })))
      throw new FreshetError('SNAPSHOT_CORRUPT', `${NAMING.what}: the name of a model is not one word`)
  }
  const byGeneration = Object.entries(models).map(
    ([generation, model]) => [Number(generation), model] as const,
  )
  return { outputs, models: new Map(byGeneration) }
}
