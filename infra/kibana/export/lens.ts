/** A panel as Kibana's Lens keeps it: its `formBased` state, from which Kibana makes an aggregation. */
import type { FigureColumn, NumberFormat, Panel, TopColumn } from '../describe/panel.ts'
import { DATA_VIEW_IDS } from '../object-ids.ts'
import { type SavedObject, savedObject } from './saved-object.ts'

const LAYER = 'l1'
const TIME = 'time'

type Column = Readonly<Record<string, unknown>>

export function lensObject(panel: Panel): SavedObject {
  const { id, title, description, dataView, query, draw } = panel
  const { columns, shown } = columnsOf(panel)
  return savedObject(
    'lens',
    id,
    {
      title,
      description,
      visualizationType: draw === 'table' ? 'lnsDatatable' : 'lnsXY',
      state: {
        datasourceStates: {
          formBased: {
            layers: {
              [LAYER]: {
                columnOrder: columns.map(([column]) => column),
                columns: Object.fromEntries(columns),
                incompleteColumns: {},
                sampling: 1,
              },
            },
          },
        },
        visualization: shown,
        query: { query, language: 'kuery' },
        filters: [],
        internalReferences: [],
        adHocDataViews: {},
      },
    },
    [{ type: 'index-pattern', id: DATA_VIEW_IDS[dataView], name: `indexpattern-datasource-layer-${LAYER}` }],
  )
}

function columnsOf({ draw, groups, figures }: Panel): {
  columns: readonly (readonly [string, Column])[]
  shown: Column
} {
  const groupIds = groups.map((_, index) => `group${index + 1}`)
  const figureIds = figures.map((_, index) => `figure${index + 1}`)
  const top = groups.map((group, index) => [groupIds[index]!, topColumn(group, figureIds[0]!)] as const)
  const figure = figures.map((column, index) => [figureIds[index]!, figureColumn(column)] as const)
  if (draw === 'table')
    return { columns: [...top, ...figure], shown: tableOf([...groupIds, ...figureIds], figureIds[0]!) }
  // Groups first: each is one of all the time, and not of every step of it.
  return {
    columns: [...top, [TIME, timeColumn()], ...figure],
    shown: chartOf(draw === 'lines' ? 'line' : 'bar_stacked', groupIds[0], figureIds),
  }
}

function timeColumn(): Column {
  return {
    label: '@timestamp',
    dataType: 'date',
    operationType: 'date_histogram',
    sourceField: '@timestamp',
    isBucketed: true,
    scale: 'interval',
    params: { interval: 'auto', includeEmptyRows: true, dropPartials: false },
  }
}

function topColumn({ label, field, size }: TopColumn, orderedBy: string): Column {
  return {
    label,
    customLabel: true,
    dataType: 'string',
    operationType: 'terms',
    sourceField: field,
    isBucketed: true,
    scale: 'ordinal',
    params: {
      size,
      orderBy: { type: 'column', columnId: orderedBy },
      orderDirection: 'desc',
      otherBucket: false,
      missingBucket: false,
      parentFormat: { id: 'terms' },
      include: [],
      exclude: [],
      includeIsRegex: false,
      excludeIsRegex: false,
    },
  }
}

/** What Lens calls the documents themselves. */
const RECORDS = '___records___'

function figureColumn({ label, figure, where, perSecond, format }: FigureColumn): Column {
  return {
    label,
    customLabel: true,
    dataType: 'number',
    operationType: figure.kind,
    sourceField: figure.kind === 'count' ? RECORDS : figure.of,
    isBucketed: false,
    scale: 'ratio',
    ...(where !== undefined && { filter: { query: where, language: 'kuery' } }),
    ...(perSecond && { timeScale: 's' }),
    params: {
      ...(figure.kind === 'percentile' && { percentile: figure.percentile }),
      ...((figure.kind === 'count' || figure.kind === 'sum') && { emptyAsNull: true }),
      ...(format !== undefined && { format: formatOf(format) }),
    },
  }
}

function formatOf({ decimals, suffix }: NumberFormat): Column {
  return { id: 'number', params: { decimals, ...(suffix !== undefined && { suffix }) } }
}

function tableOf(columnIds: readonly string[], sortedBy: string): Column {
  return {
    layerId: LAYER,
    layerType: 'data',
    columns: columnIds.map((columnId) => ({ columnId })),
    sorting: { columnId: sortedBy, direction: 'desc' },
    paging: { size: 10, enabled: true },
  }
}

function chartOf(
  seriesType: string,
  splitAccessor: string | undefined,
  accessors: readonly string[],
): Column {
  return {
    preferredSeriesType: seriesType,
    layers: [
      {
        layerId: LAYER,
        layerType: 'data',
        seriesType,
        xAccessor: TIME,
        accessors,
        ...(splitAccessor !== undefined && { splitAccessor }),
      },
    ],
    legend: { isVisible: true, position: 'right' },
    valueLabels: 'hide',
    fittingFunction: 'None',
    axisTitlesVisibilitySettings: { x: false, yLeft: true, yRight: true },
    tickLabelsVisibilitySettings: { x: true, yLeft: true, yRight: true },
    gridlinesVisibilitySettings: { x: true, yLeft: true, yRight: true },
  }
}
