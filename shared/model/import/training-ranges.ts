import type { Column, Inputs } from '../bundle/spec.ts'
import { compileColumns } from '../features/columns.ts'

/**
 * What `freshet model check --live` compares live documents with: of each column what the model is given for these
 * documents, and how many of them lack the field. A document whose field is of another type is passed over there.
 * @param documents of the training, n ≥ 1.
 */
export function withTrainingRanges(inputs: Inputs, documents: readonly object[]): Inputs {
  const columns = inputs.columns.map((column) => ({ ...column, training: rangeOf(column, documents) }))
  return { ...inputs, columns }
}

function rangeOf(column: Column, documents: readonly object[]): NonNullable<Column['training']> {
  // Alone and required, so that each gap shows. A text has no range: any number stands for it.
  const { default: _, ...rest } = column
  const probe = (
    column.type === 'text' ? { ...rest, type: 'category', categories: [''], unknown: 0 } : rest
  ) as Column
  const writer = compileColumns([{ ...probe, required: true }], ['float64'])
  const row = writer.allocate(1)
  const seen = { values: 0, missing: 0, sum: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY }
  for (const document of documents) {
    const problem = writer.write(document, row, 0)
    if (problem?.code === 'FIELD_MISSING') seen.missing++
    if (problem !== null) continue
    const value = row.numbers[0]!
    seen.values++
    seen.sum += value
    seen.min = Math.min(seen.min, value)
    seen.max = Math.max(seen.max, value)
  }
  const missing = seen.missing / documents.length
  if (seen.values === 0 || column.type === 'text') return { missing }
  return { min: seen.min, max: seen.max, mean: seen.sum / seen.values, missing }
}
