/** The views of an export, each as something that a test can ask Elasticsearch for. */
import type { Client, estypes } from '@elastic/elasticsearch'
import { lensSchema } from '../rules/lens-shape.kit.ts'
import { lensSearch, stepSeconds, type TimeRange } from './lens-to-search.kit.ts'
import { type Row, rowsOf } from './read-answer.kit.ts'
import { sessionSearch } from './session-to-search.kit.ts'

export interface View {
  /** `lens freshet-lag`, `search freshet-fallbacks`. */
  readonly name: string
  /** Every field that it shows, sorts or groups by, and what Kibana wants it to be. */
  readonly fields: ReadonlyMap<string, FieldUse>
  /** What is drawn; empty: "No results found". */
  readonly ask: (client: Client, range: TimeRange) => Promise<readonly Row[]>
  readonly index: string
  /** Of a picture: what is drawn, by the id of its column in a row. */
  readonly figures: readonly string[]
}

/** `any` may only be shown. */
type FieldUse = 'date' | 'number' | 'keyword' | 'any'

interface SavedObject {
  readonly type: string
  readonly id: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly references: readonly { readonly type: string; readonly id: string }[]
}

/**
 * @param text the export.
 * @param indexOf where to look for what the pattern of a data view means, such as the indices of one test.
 */
export function viewsOf(text: string, indexOf: (pattern: string) => string): readonly View[] {
  const objects = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as SavedObject)
  const patterns = new Map(objects.map(({ id, attributes }) => [id, attributes['title'] as string]))
  return objects.flatMap((object) => {
    const dataView = object.references.find(({ type }) => type === 'index-pattern')
    if (dataView === undefined) return []
    const index = indexOf(patterns.get(dataView.id)!)
    return [object.type === 'lens' ? picture(object, index) : session(object, index)]
  })
}

function picture({ type, id, attributes }: SavedObject, index: string): View {
  const { state } = lensSchema.parse(attributes)
  const [layer] = Object.values(state.datasourceStates.formBased.layers)
  const fields = new Map<string, FieldUse>()
  for (const { operationType, sourceField } of Object.values(layer!.columns)) {
    if (operationType === 'date_histogram') fields.set(sourceField, 'date')
    else if (operationType === 'terms') fields.set(sourceField, 'keyword')
    else if (operationType !== 'count') fields.set(sourceField, 'number')
  }
  const figures = layer!.columnOrder.filter((column) => !layer!.columns[column]!.isBucketed)
  return {
    ...{ name: `${type} ${id}`, fields, index, figures },
    ask: async (client, range) => {
      const search = { index, ...lensSearch(layer!, state.query.query, range) }
      const { aggregations } = await client.search(search)
      if (aggregations === undefined) return [] // no index of the name
      const rows = rowsOf(layer!, aggregations as Record<string, unknown>, stepSeconds(range))
      return rows.filter((row) => figures.some((figure) => row[figure] !== null))
    },
  }
}

function session({ type, id, attributes }: SavedObject, index: string): View {
  const { columns, sort, kibanaSavedObjectMeta } = attributes as {
    columns: string[]
    sort: [string, 'asc' | 'desc'][]
    kibanaSavedObjectMeta: { searchSourceJSON: string }
  }
  const { query } = JSON.parse(kibanaSavedObjectMeta.searchSourceJSON) as { query: { query: string } }
  return {
    ...{ name: `${type} ${id}`, index, figures: [] },
    fields: new Map([...columns, ...sort.map(([field]) => field)].map((field) => [field, 'any'])),
    ask: async (client, range) => {
      const { hits } = await client.search({
        index,
        ...sessionSearch({ query: query.query, columns, sort }, range),
      })
      return hits.hits.map(({ fields = {} }) =>
        Object.fromEntries(columns.map((column) => [column, (fields[column]?.[0] ?? null) as Row[string]])),
      )
    },
  }
}

const TYPES: Readonly<Record<Exclude<FieldUse, 'any'>, readonly string[]>> = {
  date: ['date', 'date_nanos'],
  number: [
    'long',
    'integer',
    'short',
    'byte',
    'double',
    'float',
    'half_float',
    'scaled_float',
    'unsigned_long',
  ],
  keyword: ['keyword', 'constant_keyword'],
}

/** What Kibana would say of the fields of a view, by what `_field_caps` tells it. */
export async function wrongFields(client: Client, { index, fields }: View): Promise<readonly string[]> {
  const caps = await client.fieldCaps({ index, fields: [...fields.keys()] })
  return [...fields].flatMap(([field, use]) => {
    const found = Object.values<estypes.FieldCapsFieldCapability>(caps.fields[field] ?? {})
    if (found.length === 0) return [`${field} is not there`]
    if (use === 'any') return []
    return found
      .filter(({ type, aggregatable }) => !aggregatable || !TYPES[use].includes(type))
      .map(({ type }) => `${field} is a ${type}, where a ${use} is wanted`)
  })
}
