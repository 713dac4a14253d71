import type { Session } from '../describe/session.ts'
import { DATA_VIEW_IDS, SESSION_IDS } from '../object-ids.ts'
import { type SavedObject, savedObject } from './saved-object.ts'

const INDEX_REFERENCE = 'kibanaSavedObjectMeta.searchSourceJSON.index'

export function sessionObject(session: Session): SavedObject {
  const { name, title, description, dataView, query, columns, sort } = session
  return savedObject(
    'search',
    SESSION_IDS[name],
    {
      title,
      description,
      columns,
      sort: [sort],
      grid: {},
      hideChart: false,
      kibanaSavedObjectMeta: {
        searchSourceJSON: JSON.stringify({
          query: { query, language: 'kuery' },
          filter: [],
          indexRefName: INDEX_REFERENCE,
        }),
      },
    },
    [{ name: INDEX_REFERENCE, type: 'index-pattern', id: DATA_VIEW_IDS[dataView] }],
  )
}
