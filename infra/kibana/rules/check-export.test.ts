import { describe, expect, test } from 'vitest'
import { savedObjects, toNdjson } from '../export/export.ts'
import { checkExport } from './check-export.kit.ts'

// biome-ignore lint/suspicious/noExplicitAny: saved objects are broken here in ways that types forbid
type Loose = any

interface Broken {
  readonly how: string
  readonly type: 'index-pattern' | 'search' | 'lens' | 'dashboard'
  /** Breaks the first object of the type, or the one that is named. */
  readonly id?: string
  readonly change: (object: Loose) => void
  readonly said: string
}

/** Changes JSON that stands in a text. */
function within(owner: Loose, name: string, change: (value: Loose) => void): void {
  const value = JSON.parse(owner[name])
  change(value)
  owner[name] = JSON.stringify(value)
}

const layerOf = (lens: Loose): Loose => lens.attributes.state.datasourceStates.formBased.layers.l1
const columnOf = (lens: Loose, operation: string): Loose =>
  Object.values(layerOf(lens).columns).find((column: Loose) => column.operationType === operation)
const drawnOf = (lens: Loose): Loose => lens.attributes.state.visualization
const panels = (change: (panels: Loose) => void) => (dashboard: Loose) =>
  within(dashboard.attributes, 'panelsJSON', change)

const BROKEN: readonly Broken[] = [
  {
    how: 'without a version of its type',
    type: 'lens',
    change: (lens) => delete lens.typeMigrationVersion,
    said: 'typeMigrationVersion: Invalid input',
  },
  {
    how: 'of a version that older servers do not know',
    type: 'dashboard',
    change: (dashboard) => (dashboard.typeMigrationVersion = '10.2.0'),
    said: 'typeMigrationVersion: is not that of the shape',
  },
  {
    how: 'without a version of the core',
    type: 'search',
    change: (search) => delete search.coreMigrationVersion,
    said: 'coreMigrationVersion: Invalid input',
  },
  {
    how: 'of an unknown type',
    type: 'search',
    change: (search) => (search.type = 'query'),
    said: 'the type query is none of',
  },
  {
    how: 'without a title',
    type: 'dashboard',
    change: (it) => (it.attributes.title = ''),
    said: 'title: Too small',
  },
  {
    how: 'with a title that is no text',
    type: 'search',
    change: (search) => (search.attributes.title = 7),
    said: 'title: Invalid input',
  },
  {
    how: 'that refers to a data view that is not there',
    type: 'search',
    change: (search) => (search.references[0].id = 'elsewhere'),
    said: 'refers to index-pattern elsewhere, which is not in the file',
  },
  {
    how: 'that refers to a picture that is not there, which Kibana would import',
    type: 'dashboard',
    change: (dashboard) => (dashboard.references[0].id = 'elsewhere'),
    said: 'refers to lens elsewhere, which is not in the file',
  },
  {
    how: 'without the reference that it asks for',
    type: 'search',
    change: (search) => (search.references[0].name = 'other'),
    said: 'its one reference is to be a data view',
  },
  {
    how: 'with a layer that has no data view',
    type: 'lens',
    change: (lens) => (lens.references = []),
    said: 'no reference indexpattern-datasource-layer-l1',
  },
  {
    how: 'with keys that Kibana does not know',
    type: 'dashboard',
    change: (dashboard) => (dashboard.attributes.tags = []),
    said: 'Unrecognized key: "tags"',
  },
  {
    how: 'with panels that are no text',
    type: 'dashboard',
    change: (dashboard) => (dashboard.attributes.panelsJSON = JSON.parse(dashboard.attributes.panelsJSON)),
    said: 'panelsJSON: Invalid input: expected string',
  },
  {
    how: 'with panels that are no JSON',
    type: 'dashboard',
    change: (dashboard) => (dashboard.attributes.panelsJSON += '?'),
    said: 'panelsJSON: does not hold JSON',
  },
  {
    how: 'with a panel beyond the grid',
    type: 'dashboard',
    change: panels((all) => (all[1].gridData.x = 30)),
    said: 'panel p2 ends beyond column 48',
  },
  {
    how: 'with panels on each other',
    type: 'dashboard',
    change: panels((all) => (all[0].gridData.w = 25)),
    said: 'panels p1 and p2 lie on each other',
  },
  {
    how: 'with a panel without height',
    type: 'dashboard',
    change: panels((all) => (all[0].gridData.h = 0)),
    said: 'panelsJSON: 0.gridData.h',
  },
  {
    how: 'with a panel of another name in the grid',
    type: 'dashboard',
    change: panels((all) => (all[0].gridData.i = 'x')),
    said: 'panel p1 stands in the grid as x',
  },
  {
    how: 'with the same panel twice',
    type: 'dashboard',
    change: panels((all) => (all[1].panelIndex = 'p1')),
    said: 'there are two panels p1',
  },
  {
    how: 'with a panel that asks for another',
    type: 'dashboard',
    change: panels((all) => (all[0].panelRefName = 'panel_p2')),
    said: 'panel p1 asks for panel_p2',
  },
  {
    how: 'with a reference that no panel uses',
    type: 'dashboard',
    change: panels((all) => all.pop()),
    said: 'no panel uses the reference',
  },
  {
    how: 'without the time that it restores',
    type: 'dashboard',
    change: (dashboard) => delete dashboard.attributes.timeFrom,
    said: 'timeFrom: Invalid input',
  },
  {
    how: 'with a query that cannot be read',
    type: 'lens',
    change: (lens) => (lens.attributes.state.query.query = 'a : 1 b'),
    said: 'is no KQL: a : 1 b: b stands where the end should',
  },
  {
    how: 'with a query that cannot be read within a text',
    type: 'search',
    change: (search) =>
      within(
        search.attributes.kibanaSavedObjectMeta,
        'searchSourceJSON',
        (source) => (source.query.query = 'a :'),
      ),
    said: 'is no KQL',
  },
  {
    how: 'of the time before formBased',
    type: 'lens',
    change: (lens) => {
      const states = lens.attributes.state.datasourceStates
      states.indexpattern = states.formBased
      delete states.formBased
    },
    said: 'formBased: Invalid input',
  },
  {
    how: 'with a column that is not in the order',
    type: 'lens',
    change: (lens) => layerOf(lens).columnOrder.pop(),
    said: 'columnOrder does not name each column once',
  },
  {
    how: 'with figures before groups',
    type: 'lens',
    change: (lens) => layerOf(lens).columnOrder.reverse(),
    said: 'groups are to stand before figures',
  },
  {
    how: 'with a column without a label',
    type: 'lens',
    change: (lens) => delete columnOf(lens, 'date_histogram').label,
    said: 'label: Invalid input',
  },
  {
    how: 'with a column without its field',
    type: 'lens',
    change: (lens) => delete columnOf(lens, 'date_histogram').sourceField,
    said: 'sourceField: Invalid input',
  },
  {
    how: 'with a column that is half made',
    type: 'lens',
    change: (lens) => (layerOf(lens).incompleteColumns = { x: { operationType: 'sum' } }),
    said: 'incompleteColumns: Unrecognized key',
  },
  {
    how: 'ordered by a column that is not there',
    type: 'lens',
    id: 'freshet-latency',
    change: (lens) => (columnOf(lens, 'terms').params.orderBy.columnId = 'x'),
    said: 'is ordered by what is no figure',
  },
  {
    how: 'per second where there is no time',
    type: 'lens',
    id: 'freshet-latency',
    change: (lens) => (columnOf(lens, 'count').timeScale = 's'),
    said: 'is per second, and there is no time',
  },
  {
    how: 'that draws a column that is not there',
    type: 'lens',
    change: (lens) => (drawnOf(lens).layers[0].accessors[0] = 'x'),
    said: 'does not draw each column once',
  },
  {
    how: 'that draws a layer that is not there',
    type: 'lens',
    change: (lens) => (drawnOf(lens).layers[0].layerId = 'l2'),
    said: 'draws the layer l2, which is not there',
  },
  {
    how: 'sorted by a column that is not there',
    type: 'lens',
    id: 'freshet-latency',
    change: (lens) => (drawnOf(lens).sorting.columnId = 'x'),
    said: 'sorts by no column',
  },
  {
    how: 'without a time field',
    type: 'index-pattern',
    change: (view) => delete view.attributes.timeFieldName,
    said: 'timeFieldName: Invalid input',
  },
  {
    how: 'with formats that are no text',
    type: 'index-pattern',
    change: (view) => (view.attributes.fieldFormatMap = {}),
    said: 'fieldFormatMap: Invalid input: expected string',
  },
]

describe('a saved object is refused', () => {
  test.each(BROKEN)('$how ($type)', ({ type, id, change, said }) => {
    const objects: Loose[] = structuredClone(savedObjects()) as Loose[]
    const object = objects.find((one) => one.type === type && (id === undefined || one.id === id))
    change(object)
    expect(checkExport(toNdjson(objects)).join('\n')).toContain(said)
  })
})

describe('a file is refused', () => {
  const whole = toNdjson(savedObjects())

  test('that is cut off', () => {
    expect(checkExport(whole.slice(0, -20))).toContain('the last line has no end')
  })
  test('with a line that is no JSON', () => {
    expect(checkExport(`${whole}{\n`).join()).toContain('is not JSON')
  })
  test('with the same object twice', () => {
    expect(checkExport(`${whole}${whole.split('\n')[0]}\n`)).toEqual([
      'index-pattern freshet-traces: is there twice',
    ])
  })
  test('with two of a title', () => {
    const [first] = savedObjects()
    expect(checkExport(whole + toNdjson([{ ...first!, id: 'freshet-other' }]))).toEqual([
      'index-pattern freshet-other: there is another index-pattern called Freshet traces',
    ])
  })
})
