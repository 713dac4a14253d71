/** What the settings alone say of capture: what is promised, of which documents, and with which privileges. */
import type { Settings } from '@freshet/config/schema.ts'

type Elasticsearch = Settings['elasticsearch']

export interface CapturePromise {
  readonly mode: Elasticsearch['mode']
  /** null where nothing can be captured. */
  readonly promise: string | null
  readonly scope: string
  readonly privileges: string
}

export function promisedCapture(settings: Elasticsearch): CapturePromise {
  const { mode } = settings
  return { mode, promise: promiseOf(settings), scope: scopeOf(settings), privileges: PRIVILEGES[mode] }
}

const PRIVILEGES: Readonly<Record<Elasticsearch['mode'], string>> = {
  seqNo: 'cluster monitor; index read, view_index_metadata, monitor, maintenance',
  timestamp: 'index read, view_index_metadata, maintenance; with monitor, an index at rest is not read again',
}

function promiseOf({ mode, timestampField, timestampOverlapSeconds }: Elasticsearch): string {
  if (mode === 'seqNo')
    return 'captured by sequence number: the newest version of every document and every delete, as docs/capture.md says'
  return [
    `captured by ${timestampField}, which promises less:`,
    `a change is found if it moves ${timestampField}, and if that is, when the change becomes visible,`,
    `at most ${timestampOverlapSeconds} s older than the newest one of its index.`,
    `Missed are changes that come later, documents without ${timestampField},`,
    'and deletes other than by elasticsearch.softDeleteField or elasticsearch.filter, that of a whole index included.',
    'A change that a failover of Elasticsearch takes back may stay until the next one,',
    'and freshet verify proves nothing here.',
  ].join(' ')
}

function scopeOf(settings: Elasticsearch): string {
  const { filter, softDeleteField, includeFields, excludeFields, key, versionField } = settings
  const parts = [
    filter === undefined ? 'all documents' : 'documents that match elasticsearch.filter',
    softDeleteField === undefined ? null : `deleted where ${softDeleteField} is true`,
    includeFields.length === 0 ? null : `only the fields ${includeFields.join(', ')}`,
    excludeFields.length === 0 ? null : `without the fields ${excludeFields.join(', ')}`,
    `named by ${key}`,
    versionField === undefined ? null : `newest by ${versionField}`,
  ]
  return parts.filter((part) => part !== null).join('; ')
}
