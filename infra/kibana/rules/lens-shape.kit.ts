/** The part of Lens' state that we write: what is not here is not used by us, and not understood by our tests. */
import { z } from 'zod'
import { kqlSchema, titleSchema } from './envelope.kit.ts'

const columnId = z.string().min(1)
const format = z.strictObject({
  id: z.literal('number'),
  params: z.strictObject({ decimals: z.int().min(0), suffix: z.string().optional() }),
})
const named = { label: titleSchema, customLabel: z.literal(true).optional(), sourceField: z.string().min(1) }
const figure = {
  ...named,
  dataType: z.literal('number'),
  isBucketed: z.literal(false),
  scale: z.literal('ratio'),
  filter: kqlSchema.optional(),
  timeScale: z.literal('s').optional(),
}

const columnSchema = z.discriminatedUnion('operationType', [
  z.strictObject({
    ...named,
    operationType: z.literal('date_histogram'),
    dataType: z.literal('date'),
    isBucketed: z.literal(true),
    scale: z.literal('interval'),
    params: z.strictObject({
      interval: z.literal('auto'),
      includeEmptyRows: z.boolean(),
      dropPartials: z.boolean(),
    }),
  }),
  z.strictObject({
    ...named,
    operationType: z.literal('terms'),
    dataType: z.enum(['string', 'boolean']),
    isBucketed: z.literal(true),
    scale: z.literal('ordinal'),
    params: z.strictObject({
      size: z.int().min(1).max(1_000),
      orderBy: z.strictObject({ type: z.literal('column'), columnId }),
      orderDirection: z.enum(['asc', 'desc']),
      otherBucket: z.literal(false),
      missingBucket: z.literal(false),
      parentFormat: z.strictObject({ id: z.literal('terms') }),
      include: z.tuple([]),
      exclude: z.tuple([]),
      includeIsRegex: z.literal(false),
      excludeIsRegex: z.literal(false),
    }),
  }),
  z.strictObject({
    ...figure,
    operationType: z.literal('count'),
    sourceField: z.literal('___records___'),
    params: z.strictObject({ emptyAsNull: z.boolean(), format: format.optional() }),
  }),
  z.strictObject({
    ...figure,
    operationType: z.literal('sum'),
    params: z.strictObject({ emptyAsNull: z.boolean(), format: format.optional() }),
  }),
  z.strictObject({
    ...figure,
    operationType: z.enum(['max', 'average']),
    params: z.strictObject({ format: format.optional() }),
  }),
  z.strictObject({
    ...figure,
    operationType: z.literal('percentile'),
    params: z.strictObject({ percentile: z.number().gt(0).lt(100), format: format.optional() }),
  }),
])

const layerSchema = z.strictObject({
  columnOrder: z.array(columnId).min(1),
  columns: z.record(columnId, columnSchema),
  incompleteColumns: z.strictObject({}),
  sampling: z.literal(1),
})

const axes = z.strictObject({ x: z.boolean(), yLeft: z.boolean(), yRight: z.boolean() })

const chartSchema = z.strictObject({
  preferredSeriesType: z.enum(['line', 'bar_stacked']),
  layers: z.array(
    z.strictObject({
      layerId: z.string(),
      layerType: z.literal('data'),
      seriesType: z.enum(['line', 'bar_stacked']),
      xAccessor: columnId,
      accessors: z.array(columnId).min(1),
      splitAccessor: columnId.optional(),
    }),
  ),
  legend: z.strictObject({ isVisible: z.boolean(), position: z.enum(['right', 'bottom']) }),
  valueLabels: z.literal('hide'),
  fittingFunction: z.literal('None'),
  axisTitlesVisibilitySettings: axes,
  tickLabelsVisibilitySettings: axes,
  gridlinesVisibilitySettings: axes,
})

const tableSchema = z.strictObject({
  layerId: z.string(),
  layerType: z.literal('data'),
  columns: z.array(z.strictObject({ columnId })).min(1),
  sorting: z.strictObject({ columnId, direction: z.enum(['asc', 'desc']) }).optional(),
  paging: z.strictObject({ size: z.int().min(1), enabled: z.boolean() }),
})

function lens<Type extends string, Shown extends z.ZodType>(visualizationType: Type, visualization: Shown) {
  return z.strictObject({
    title: titleSchema,
    description: z.string(),
    visualizationType: z.literal(visualizationType),
    state: z.strictObject({
      datasourceStates: z.strictObject({
        formBased: z.strictObject({ layers: z.record(z.string(), layerSchema) }),
      }),
      visualization,
      query: kqlSchema,
      filters: z.tuple([]),
      internalReferences: z.tuple([]),
      adHocDataViews: z.strictObject({}),
    }),
  })
}

export const lensSchema = z.discriminatedUnion('visualizationType', [
  lens('lnsXY', chartSchema),
  lens('lnsDatatable', tableSchema),
])

export type Lens = z.infer<typeof lensSchema>
export type LensLayer = z.infer<typeof layerSchema>
export type LensColumn = z.infer<typeof columnSchema>
