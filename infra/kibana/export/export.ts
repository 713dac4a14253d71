import { DATA_VIEWS } from '../describe/data-views.ts'
import { OVERVIEW } from '../describe/overview.ts'
import { SESSIONS } from '../describe/sessions.ts'
import { dashboardObject } from './dashboard.ts'
import { dataViewObject } from './data-view.ts'
import { lensObject } from './lens.ts'
import type { SavedObject } from './saved-object.ts'
import { sessionObject } from './session.ts'

/** Everything that is imported into Kibana, what is referred to before what refers to it. */
export function savedObjects(): readonly SavedObject[] {
  return [
    ...DATA_VIEWS.map(dataViewObject),
    ...SESSIONS.map(sessionObject),
    ...OVERVIEW.placed.map(({ panel }) => lensObject(panel)),
    dashboardObject(OVERVIEW),
  ]
}

/** As Kibana imports it: one object a line. */
export function toNdjson(objects: readonly SavedObject[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('')
}
