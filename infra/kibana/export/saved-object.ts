/** What Kibana's saved objects look like in a file that it imports. */

export type SavedObjectType = 'index-pattern' | 'search' | 'lens' | 'dashboard'

/**
 * The oldest version of each type that has the shape written here: Kibana migrates it up. A newer one would be refused
 * by every Kibana that does not know it; without one, all migrations since the beginning would run, and break Lens.
 */
export const TYPE_VERSIONS: Readonly<Record<SavedObjectType, string>> = {
  'index-pattern': '8.0.0',
  search: '8.0.0',
  lens: '8.9.0',
  dashboard: '8.9.0',
}
export const CORE_VERSION = '8.8.0'

export interface Reference {
  readonly type: SavedObjectType
  readonly id: string
  readonly name: string
}

export interface SavedObject {
  readonly type: SavedObjectType
  readonly id: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly references: readonly Reference[]
  readonly coreMigrationVersion: string
  readonly typeMigrationVersion: string
  /** People work on copies, so an import never takes anybody's changes away. */
  readonly managed: true
}

export function savedObject(
  type: SavedObjectType,
  id: string,
  attributes: SavedObject['attributes'],
  references: readonly Reference[],
): SavedObject {
  return {
    type,
    id,
    attributes,
    references,
    coreMigrationVersion: CORE_VERSION,
    typeMigrationVersion: TYPE_VERSIONS[type],
    managed: true,
  }
}
