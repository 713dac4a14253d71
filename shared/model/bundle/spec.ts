/** What `model.json` says: which document paths make the input matrix, and which output columns are scores. */
import { parseWith } from '@freshet/records/parse-with.ts'
import { isSnapshotColumn } from '@freshet/records/snapshot-columns.ts'
import { z } from 'zod'

/** Parts of a moment in local time. `weekday` counts from Monday = 0 as pandas does, `month` from 1. */
export const TIME_PARTS = [
  'hour',
  'minuteOfDay',
  'weekday',
  'dayOfMonth',
  'dayOfYear',
  'month',
  'year',
] as const

const float32 = z.number().refine((value) => Number.isFinite(Math.fround(value)), 'outside float32')
const columnBase = {
  /** What people call the column; also the feature name in reports. */
  name: z.string().min(1),
  /** JSON pointer (RFC 6901) into `_source`, e.g. `/weather/wind_speed`. */
  path: z.string().regex(/^(\/([^~/]|~[01])*)+$/, 'a JSON pointer such as /weather/wind_speed'),
  /** A document without the field is a dead letter. */
  required: z.literal(true).optional(),
  /** What the matrix holds when the field is missing or null. Either this or `required`. */
  default: float32.optional(),
}

const column = z
  .discriminatedUnion('type', [
    z.strictObject({ ...columnBase, type: z.literal('number') }),
    z.strictObject({ ...columnBase, type: z.literal('boolean') }),
    z.strictObject({
      ...columnBase,
      type: z.literal('category'),
      /** The matrix holds the index of the field's text in this list, */
      categories: z.array(z.string()).min(1).refine(areUnique, 'a category stands twice'),
      /** or this for any other text. */
      unknown: float32,
    }),
    z.strictObject({
      ...columnBase,
      type: z.literal('time'),
      part: z.enum(TIME_PARTS),
      /** IANA name of the zone in which the part is taken. */
      timeZone: z.string().refine(isTimeZone, 'an IANA time zone such as America/New_York').default('UTC'),
    }),
  ])
  .refine(
    (column) => (column.required === undefined) !== (column.default === undefined),
    'either required: true or a default',
  )

/** Part of an object key, and shown as `name@version`. */
const label = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'up to 64 letters, digits, ., _ and -')

const outputName = z
  .string()
  .min(1)
  .refine((name) => !/^\d+$/.test(name), 'a number is no name: JSON would put it before all others')
  .refine((name) => !isSnapshotColumn(name), 'snapshots have a column of that name')

const specSchema = z.strictObject({
  formatVersion: z.literal(1),
  name: label,
  version: label,
  /** SHA-256 of model.onnx, in hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex'),
  inputs: z.strictObject({
    /** Name of the model's one input: float32, [rows, columns.length]. */
    tensor: z.string().min(1),
    columns: z.array(column).min(1).refine(haveUniqueNames, 'a column name stands twice'),
  }),
  outputs: z
    .array(
      z.strictObject({
        /** The first output is the score that callers get: objects by output name must keep their order. */
        name: outputName,
        /** Name of a numeric output of the model: [rows], or [rows, k] of which `column` is the score. */
        tensor: z.string().min(1),
        column: z.int().min(0).default(0),
      }),
    )
    .min(1)
    .refine(haveUniqueNames, 'an output name stands twice'),
  golden: z.strictObject({
    /** Allowed difference to the author's score: absolute up to 1, beyond that a share of the score. */
    tolerance: z.number().min(0),
  }),
  /** For people: held-out error, baselines, training period. */
  evaluation: z.record(z.string(), z.json()).optional(),
})

export type ModelSpec = z.infer<typeof specSchema>
export type Column = ModelSpec['inputs']['columns'][number]

/**
 * @param text of model.json.
 * @throws MODEL_INVALID with the path of the first thing that is wrong
 */
export function parseModelSpec(text: string): ModelSpec {
  return parseWith(specSchema, text, { code: 'MODEL_INVALID', what: 'model.json' })
}

export function encodeModelSpec(spec: ModelSpec): string {
  return `${JSON.stringify(spec, null, 2)}\n`
}

function areUnique(values: readonly string[]): boolean {
  return new Set(values).size === values.length
}

function haveUniqueNames(values: readonly { readonly name: string }[]): boolean {
  return areUnique(values.map(({ name }) => name))
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
