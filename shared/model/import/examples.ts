/** A row as an input example has it: by column name, or in the columns' order. */
export type ExampleRow = Readonly<Record<string, unknown>> | readonly unknown[]

/** Objects in which the rows stand one level deeper, in MLflow's and its servers' forms. */
const WRAPPERS = ['dataframe_split', 'dataframe_records', 'instances', 'inputs']

/** A wrapper stands in another at most. */
const MAX_WRAPPERS = 2

/**
 * The rows of an input example: a data frame split or as records, an array, or an object of columns.
 * @returns null when it is none of these
 */
export function exampleRows(example: unknown, wrappers = 0): ExampleRow[] | null {
  if (Array.isArray(example)) return example.every(isRow) ? example : asColumn(example)
  if (!isObject(example)) return null
  const wrapper = WRAPPERS.find((name) => isObject(example[name]) || Array.isArray(example[name]))
  if (wrapper !== undefined)
    return wrappers < MAX_WRAPPERS ? exampleRows(example[wrapper], wrappers + 1) : null
  const { columns, data } = example
  if (Array.isArray(columns) && Array.isArray(data) && data.every(Array.isArray))
    return columns.every(isName) ? data.map((row) => byName(columns.map(String), row)) : null
  const values = Object.values(example)
  const [first] = values
  if (Array.isArray(first) && values.every((value) => Array.isArray(value) && value.length === first.length))
    return first.map((_, row) => mapValues(example, (column) => flat((column as unknown[])[row])))
  return [example]
}

/** A row as the document that a pipeline would see; columns in the order of `columns`. */
export function asDocument(row: ExampleRow, columns: readonly string[]): Record<string, unknown> {
  return Array.isArray(row) ? byName(columns, row) : { ...(row as Record<string, unknown>) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** pandas counts the columns that have no name. */
function isName(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

function isRow(value: unknown): value is ExampleRow {
  return typeof value === 'object' && value !== null
}

/** Plain values are the rows of a single column. */
function asColumn(values: readonly unknown[]): ExampleRow[] | null {
  return values.some(isRow) ? null : values.map((value) => [value])
}

/** [rows, 1] comes as a list of lists. */
function flat(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value
}

function byName(names: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name, at) => [name, values[at]]))
}

function mapValues(
  from: Record<string, unknown>,
  change: (value: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, change(value)]))
}
