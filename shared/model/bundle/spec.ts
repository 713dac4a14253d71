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

const columnBase = {
  /** What people call the column; also the feature name in reports, and the tensor's name where each column has one. */
  name: z.string().min(1),
  /** JSON pointer (RFC 6901) into `_source`, e.g. `/weather/wind_speed`. */
  path: z.string().regex(/^(\/([^~/]|~[01])*)+$/, 'a JSON pointer such as /weather/wind_speed'),
  /** A document without the field is a dead letter. */
  required: z.literal(true).optional(),
  /** Of the values that the model was given in training (codes of categories; numbers after their transforms). */
  training: z
    .strictObject({
      min: z.number().optional(),
      max: z.number().optional(),
      mean: z.number().optional(),
      /** Share of documents without the field, 0 to 1. */
      missing: z.number().min(0).max(1).optional(),
    })
    .optional(),
}
/** What the model is given, as it is, when the field is missing or null. Either this or `required`. */
const numberDefault = { default: z.number().optional() }

const column = z
  .discriminatedUnion('type', [
    z.strictObject({
      ...columnBase,
      ...numberDefault,
      type: z.literal('number'),
      /** Of what the document says, in this order: lower and upper bound, */
      clip: z
        .tuple([z.number(), z.number()])
        .refine(([low, high]) => low <= high, 'the lower bound first')
        .optional(),
      /** logarithm of the value, or of 1 + the value, */
      log: z.enum(['ln', 'log1p']).optional(),
      /** (value - mean) / deviation. */
      scale: z.strictObject({ mean: z.number(), deviation: z.number().positive() }).optional(),
    }),
    z.strictObject({ ...columnBase, ...numberDefault, type: z.literal('boolean') }),
    z.strictObject({
      ...columnBase,
      ...numberDefault,
      type: z.literal('category'),
      /** The model is given the index of the field's text in this list, */
      categories: z.array(z.string()).min(1).refine(areUnique, 'a category stands twice'),
      /** or this for any other text. */
      unknown: z.number(),
    }),
    z.strictObject({
      ...columnBase,
      ...numberDefault,
      type: z.literal('time'),
      part: z.enum(TIME_PARTS),
      /** IANA name of the zone in which the part is taken. */
      timeZone: z.string().refine(isTimeZone, 'an IANA time zone such as America/New_York').default('UTC'),
    }),
    /** For models that encode categories themselves; a `category` is some 100 times faster. */
    z.strictObject({ ...columnBase, type: z.literal('text'), default: z.string().optional() }),
  ])
  .refine(
    (column) => (column.required === undefined) !== (column.default === undefined),
    'either required: true or a default',
  )

const inputs = z
  .strictObject({
    /** Name of the model's one input: float32, [rows, columns.length]. */
    tensor: z.string().min(1).optional(),
    /**
     * Without `tensor`, each column feeds the input of its own name, [rows] or [rows, 1], whose element type is the
     * model's: float32, float64, int32, int64, bool, or string for `text`.
     */
    columns: z.array(column).min(1).refine(haveUniqueNames, 'a column name stands twice'),
  })
  .superRefine(({ tensor, columns }, { addIssue }) => {
    if (tensor === undefined) return
    for (const [index, { type, default: value, ...column }] of columns.entries()) {
      const complain = (name: string, message: string) =>
        addIssue({ code: 'custom', path: ['columns', index, name], message })
      if (type === 'text') complain('type', 'text needs a tensor of its own: leave inputs.tensor out')
      else if (value !== undefined && !isFloat32(value)) complain('default', 'outside float32')
      if ('unknown' in column && !isFloat32(column.unknown)) complain('unknown', 'outside float32')
    }
  })

/** Part of an object key, and shown as `name@version`. */
const label = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'up to 64 letters, digits, ., _ and -')

export function isModelLabel(word: string): boolean {
  return label.safeParse(word).success
}

const outputName = z
  .string()
  .min(1)
  .refine((name) => !/^\d+$/.test(name), 'a number is no name: JSON would put it before all others')
  .refine((name) => !isSnapshotColumn(name), 'snapshots have a column of that name')

/** One named score. */
export interface Output {
  readonly name: string
  readonly tensor: string
  /** Unless a class is named. */
  readonly column?: number | undefined
  readonly class?: string | number | undefined
  /** 'dead-letter' where nothing is said. */
  readonly whenNotFinite?: 'dead-letter' | number | undefined
}

const output = z
  .strictObject({
    /** The first output is the score that callers get: objects by output name must keep their order. */
    name: outputName,
    /** Name of an output of the model: [rows], [rows, k], or a ZipMap's list of maps. */
    tensor: z.string().min(1),
    /** Of [rows, k]: which column is the score; 0 when neither this nor a class is named, */
    column: z.int().min(0).optional(),
    /** or the class whose probability is the score, by its label in the model. */
    class: z.union([z.string(), z.int()]).optional(),
    /** What becomes of a document for which the model answers NaN or infinity: a dead letter (so by default), or this score. */
    whenNotFinite: z.union([z.literal('dead-letter'), z.number()]).optional(),
  })
  .refine((output) => output.class === undefined || output.column === undefined, 'either a column or a class')
  .transform(({ name, tensor, column, ...more }): Output => {
    return more.class === undefined
      ? { name, tensor, column: column ?? 0, ...more }
      : { name, tensor, ...more }
  })

const specSchema = z.strictObject({
  formatVersion: z.literal(1),
  name: label,
  version: label,
  /** SHA-256 of model.onnx, in hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex'),
  inputs,
  outputs: z.array(output).min(1).refine(haveUniqueNames, 'an output name stands twice'),
  golden: z.strictObject({
    /** Allowed difference to the author's score: absolute up to 1, beyond that a share of the score. */
    tolerance: z.number().min(0),
  }),
  /** For people: held-out error, baselines, training period. */
  evaluation: z.record(z.string(), z.json()).optional(),
})

export type ModelSpec = z.infer<typeof specSchema>
export type Inputs = ModelSpec['inputs']
export type Column = Inputs['columns'][number]

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

function isFloat32(value: number): boolean {
  return Number.isFinite(Math.fround(value))
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
