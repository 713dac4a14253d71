import { type ReadObject, type Tell, tellShape } from './envelope.kit.ts'
import { type Lens, type LensLayer, lensSchema } from './lens-shape.kit.ts'

export function checkLens({ attributes, references }: ReadObject, tell: Tell): void {
  const lens = tellShape(lensSchema, attributes, tell)
  if (lens === undefined) return
  const { layers } = lens.state.datasourceStates.formBased
  const wanted = Object.keys(layers).map((layer) => `indexpattern-datasource-layer-${layer}`)
  for (const name of wanted)
    if (!references.some((one) => one.name === name && one.type === 'index-pattern'))
      tell(`no reference ${name} to a data view`)
  for (const { name } of references) if (!wanted.includes(name)) tell(`no layer uses the reference ${name}`)
  for (const layer of Object.values(layers)) tellColumns(layer, tell)
  tellShown(lens, tell)
}

function tellColumns({ columnOrder, columns }: LensLayer, tell: Tell): void {
  const ids = Object.keys(columns)
  if (columnOrder.length !== ids.length || columnOrder.some((id) => !(id in columns))) {
    tell('columnOrder does not name each column once')
    return
  }
  const isGroup = columnOrder.map((id) => columns[id]!.isBucketed)
  if (isGroup.indexOf(false) !== isGroup.lastIndexOf(true) + 1)
    tell('groups are to stand before figures, and at least one figure after them')
  for (const [id, column] of Object.entries(columns)) {
    if (column.operationType === 'terms') {
      const orderedBy = columns[column.params.orderBy.columnId]
      if (orderedBy === undefined || orderedBy.isBucketed)
        tell(`column ${id} is ordered by what is no figure`)
      else if ('filter' in orderedBy && orderedBy.filter !== undefined)
        tell(`column ${id} is ordered by a figure with a filter`)
    }
    const isAlongTime = columnOrder.some((other) => columns[other]!.operationType === 'date_histogram')
    if ('timeScale' in column && column.timeScale !== undefined && !isAlongTime)
      tell(`column ${id} is per second, and there is no time`)
  }
}

/** Whether what is drawn is what is asked for. */
function tellShown({ visualizationType, state }: Lens, tell: Tell): void {
  const { layers } = state.datasourceStates.formBased
  const drawn =
    visualizationType === 'lnsDatatable'
      ? [
          {
            layerId: state.visualization.layerId,
            columnIds: state.visualization.columns.map((one) => one.columnId),
          },
        ]
      : state.visualization.layers.map(({ layerId, xAccessor, accessors, splitAccessor }) => ({
          layerId,
          columnIds: [xAccessor, ...accessors, ...(splitAccessor === undefined ? [] : [splitAccessor])],
        }))
  if (drawn.length !== Object.keys(layers).length) tell('not every layer is drawn')
  for (const { layerId, columnIds } of drawn) {
    const columns = layers[layerId]?.columns
    if (columns === undefined) tell(`draws the layer ${layerId}, which is not there`)
    else if (columnIds.length !== Object.keys(columns).length || columnIds.some((id) => !(id in columns)))
      tell('does not draw each column once')
    else if (visualizationType === 'lnsXY') tellAxes(columns, state.visualization.layers, tell)
    else if (!((state.visualization.sorting?.columnId ?? columnIds[0]!) in columns))
      tell('sorts by no column')
  }
}

function tellAxes(
  columns: LensLayer['columns'],
  layers: Extract<Lens, { visualizationType: 'lnsXY' }>['state']['visualization']['layers'],
  tell: Tell,
): void {
  for (const { xAccessor, accessors, splitAccessor } of layers) {
    if (columns[xAccessor]?.operationType !== 'date_histogram') tell('x is not the time')
    if (accessors.some((id) => columns[id]?.isBucketed !== false)) tell('y is no figure')
    if (splitAccessor !== undefined && columns[splitAccessor]?.operationType !== 'terms')
      tell('lines are told apart by what is no group')
  }
}
