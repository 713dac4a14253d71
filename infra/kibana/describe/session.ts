import type { DataViewName, SessionName } from '../object-ids.ts'
import type { Field } from './panel.ts'

/** A search in Discover that is saved under a name. */
export interface Session {
  readonly name: SessionName
  readonly title: string
  readonly description: string
  readonly dataView: DataViewName
  /** KQL. */
  readonly query: string
  /** Beside the time, which Discover shows by itself. */
  readonly columns: readonly Field[]
  readonly sort: readonly [Field, 'asc' | 'desc']
}
