import type { Column } from '@freshet/model/bundle/spec.ts'
import { compilePointer } from '@freshet/model/features/json-pointer.ts'

/** What live documents hold of one column. */
export interface ColumnReport {
  readonly name: string
  readonly path: string
  readonly type: Column['type']
  /** Share of all documents that have the field. */
  readonly present: number
  /** Share of those that take the default; null where there is none: they are set aside. */
  readonly defaulted: number | null
  /** Share of the fields that are there whose text is none of the categories; null but for a category. */
  readonly unknown: number | null
  /** The most frequent of these texts. */
  readonly unknownTexts: readonly string[]
  /** Of what the model is given where the field is there; null where there is none, and for text. */
  readonly values: { readonly min: number; readonly mean: number; readonly max: number } | null
  /** Share of these outside of what model.json says of the training; null where it says nothing. */
  readonly outside: number | null
}

const MAX_TEXTS_LISTED = 3
/** Ids in a field taken for a category would otherwise fill the memory. */
const MAX_TEXTS_COUNTED = 10_000

/** Gathers one column over a sample. */
export class ColumnSample {
  readonly column: Column
  readonly #find: (root: object) => unknown
  readonly #categories: ReadonlySet<string> | null
  readonly #unknownTexts = new Map<string, number>()
  #documents = 0
  #present = 0
  #unknown = 0
  #values = 0
  #sum = 0
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY
  #outside = 0

  constructor(column: Column) {
    this.column = column
    this.#find = compilePointer(column.path)
    this.#categories = column.type === 'category' ? new Set(column.categories) : null
  }

  /** @returns whether the field is there */
  look(document: object): boolean {
    const value = this.#find(document)
    this.#documents++
    if (value === undefined || value === null) return false
    this.#present++
    if (this.#categories !== null && typeof value === 'string' && !this.#categories.has(value)) {
      this.#unknown++
      const count = this.#unknownTexts.get(value)
      if (count !== undefined || this.#unknownTexts.size < MAX_TEXTS_COUNTED)
        this.#unknownTexts.set(value, (count ?? 0) + 1)
    }
    return true
  }

  /** @param value what the model is given of a field that is there */
  take(value: number): void {
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = this.column.training ?? {}
    this.#values++
    this.#sum += value
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
    if (value < min || value > max) this.#outside++
  }

  report(): ColumnReport {
    const { name, path, type, training } = this.column
    const isBounded = training?.min !== undefined || training?.max !== undefined
    const unknownTexts = [...this.#unknownTexts].sort(([, a], [, b]) => b - a).slice(0, MAX_TEXTS_LISTED)
    return {
      name,
      path,
      type,
      present: share(this.#present, this.#documents),
      defaulted:
        this.column.default === undefined ? null : share(this.#documents - this.#present, this.#documents),
      unknown: this.#categories === null ? null : share(this.#unknown, this.#present),
      unknownTexts: unknownTexts.map(([text]) => text),
      values: this.#values === 0 ? null : { min: this.#min, mean: this.#sum / this.#values, max: this.#max },
      outside: isBounded ? share(this.#outside, this.#values) : null,
    }
  }
}

/** 0 of nothing. */
export function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
