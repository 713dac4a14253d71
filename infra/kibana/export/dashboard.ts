import type { Dashboard } from '../describe/dashboard.ts'
import { DASHBOARD_ID } from '../object-ids.ts'
import { type SavedObject, savedObject } from './saved-object.ts'

export function dashboardObject({ title, description, placed }: Dashboard): SavedObject {
  const named = placed.map((place, index) => ({ ...place, name: `p${index + 1}` }))
  return savedObject(
    'dashboard',
    DASHBOARD_ID,
    {
      title,
      description,
      panelsJSON: JSON.stringify(
        named.map(({ name, x, y, w, h }) => ({
          type: 'lens',
          panelIndex: name,
          gridData: { x, y, w, h, i: name },
          embeddableConfig: { enhancements: {} },
          panelRefName: `panel_${name}`,
        })),
      ),
      optionsJSON: JSON.stringify({
        useMargins: true,
        syncColors: true,
        syncCursor: true,
        syncTooltips: false,
        hidePanelTitles: false,
      }),
      timeRestore: true,
      timeFrom: 'now-1h',
      timeTo: 'now',
      refreshInterval: { pause: true, value: 60_000 },
      kibanaSavedObjectMeta: {
        searchSourceJSON: JSON.stringify({ query: { query: '', language: 'kuery' }, filter: [] }),
      },
    },
    named.map(({ name, panel }) => ({ type: 'lens', id: panel.id, name: `${name}:panel_${name}` })),
  )
}
