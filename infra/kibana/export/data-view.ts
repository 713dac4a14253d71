import type { DataViewSpec } from '../describe/data-views.ts'
import { DATA_VIEW_IDS } from '../object-ids.ts'
import { type SavedObject, savedObject } from './saved-object.ts'

/** Kibana asks Elasticsearch for the fields by itself. */
export function dataViewObject({ name, title, pattern, formats }: DataViewSpec): SavedObject {
  return savedObject(
    'index-pattern',
    DATA_VIEW_IDS[name],
    {
      title: pattern,
      name: title,
      timeFieldName: '@timestamp',
      fieldFormatMap: JSON.stringify(formats),
      fieldAttrs: '{}',
      fields: '[]',
      runtimeFieldMap: '{}',
      sourceFilters: '[]',
      typeMeta: '{}',
      allowHidden: false,
    },
    [],
  )
}
