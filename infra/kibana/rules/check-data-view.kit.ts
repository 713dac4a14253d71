import { z } from 'zod'
import { jsonText, type ReadObject, type Tell, tellShape, titleSchema } from './envelope.kit.ts'

const EMPTY_OBJECT = jsonText(z.strictObject({}))
const EMPTY_LIST = jsonText(z.tuple([]))

const dataViewSchema = z.strictObject({
  title: z.string().regex(/^[^\s\\/"<>|?]+$/, 'a pattern of index names'),
  name: titleSchema,
  timeFieldName: z.literal('@timestamp'),
  fieldFormatMap: jsonText(
    z.record(
      z.string(),
      z.strictObject({
        id: z.enum(['duration', 'url', 'number', 'bytes']),
        params: z.record(z.string(), z.unknown()),
      }),
    ),
  ),
  fieldAttrs: EMPTY_OBJECT,
  fields: EMPTY_LIST,
  runtimeFieldMap: EMPTY_OBJECT,
  sourceFilters: EMPTY_LIST,
  typeMeta: EMPTY_OBJECT,
  allowHidden: z.boolean(),
})

export function checkDataView({ attributes, references }: ReadObject, tell: Tell): void {
  tellShape(dataViewSchema, attributes, tell)
  if (references.length > 0) tell('a data view refers to nothing')
}
