import { settingsSchema } from '@freshet/config/schema.ts'
import { expect, test } from 'vitest'
import { promisedCapture } from './capture-promise.ts'
import { type CaptureReport, complaintOf, describeCapture, warningsOn } from './capture-report.ts'

const settings = (part: object = {}) => settingsSchema.parse({ elasticsearch: part }).elasticsearch

const reported: CaptureReport = {
  ...promisedCapture(settings()),
  indices: [
    {
      name: 'flights-1',
      kind: 'logsdb',
      shards: 3,
      verdict: 'capturable',
      reason: null,
      notes: ['synthetic _source'],
    },
    {
      name: 'flights-0',
      kind: 'standard',
      shards: 1,
      verdict: 'closed',
      reason: 'flights-0 is closed: open it',
      notes: [],
    },
    {
      name: 'flights-x',
      kind: null,
      shards: null,
      verdict: 'blocked',
      reason: 'flights-x has index.blocks.metadata',
      notes: [],
    },
  ],
  warnings: [],
}

test('doctor tells the promise, the scope, the privileges, and one line for each index', () => {
  expect(describeCapture(reported)).toEqual([
    'captured by sequence number: the newest version of every document and every delete, as docs/capture.md says',
    'scope: all documents; named by index/id',
    'privileges: cluster monitor; index read, view_index_metadata, monitor, maintenance',
    'flights-1 (logsdb, 3 shards): capturable; synthetic _source',
    'flights-0 (standard, 1 shard): flights-0 is closed: open it',
    'flights-x: flights-x has index.blocks.metadata',
  ])
})

test('what timestamp mode does not promise is told in full, with the field and the overlap of the settings', () => {
  const { promise } = promisedCapture(
    settings({ mode: 'timestamp', timestampField: 'updatedAt', timestampOverlapSeconds: 30 }),
  )
  expect(promise).toBe(
    'captured by updatedAt, which promises less: a change is found if it moves updatedAt, and if that is, ' +
      'when the change becomes visible, at most 30 s older than the newest one of its index. ' +
      'Missed are changes that come later, documents without updatedAt, and deletes other than by ' +
      'elasticsearch.softDeleteField or elasticsearch.filter, that of a whole index included. ' +
      'A change that a failover of Elasticsearch takes back may stay until the next one, and freshet verify proves nothing here.',
  )
})

test('the scope names everything that the settings leave out or change', () => {
  const { scope } = promisedCapture(
    settings({
      filter: { term: { live: true } },
      softDeleteField: 'deleted',
      includeFields: ['a', 'b'],
      excludeFields: ['b.c'],
      key: 'field:sku',
      versionField: 'v',
    }),
  )
  expect(scope).toBe(
    'documents that match elasticsearch.filter; deleted where deleted is true; only the fields a, b; without the fields b.c; named by field:sku; newest by v',
  )
})

test('an index that is left out is wrong even where others are captured; one that waits is not', () => {
  expect(complaintOf(reported)).toBeUndefined()
  const refused = {
    ...reported.indices[0]!,
    verdict: 'refused',
    reason: 'flights-1 is a time_series index',
  } as const
  expect(complaintOf({ ...reported, indices: [...reported.indices, refused] })).toMatchObject({
    code: 'INDEX_NOT_CAPTURABLE',
    message: '1 of 4 indices are left out: flights-1 is a time_series index',
  })
})

test('keys that several indices may share are warned of, with what goes wrong and the way out', () => {
  const { indices } = reported
  const [warning] = warningsOn(settings({ key: 'field:sku' }), indices)
  expect(warning).toMatch(
    /^elasticsearch.key is field:sku and 3 indices are captured without elasticsearch.versionField/,
  )
  expect(warning).toContain('a document that moves to an index whose capture began earlier loses its score')
  expect(warning).toContain('Set elasticsearch.versionField')
  expect(describeCapture({ ...reported, warnings: [warning!] }).at(-1)).toBe(`warning: ${warning}`)
})

test.each([
  ['the key names the index', settings(), reported.indices],
  ['a version orders them', settings({ key: 'id', versionField: 'v' }), reported.indices],
  ['there is one index', settings({ key: 'id' }), reported.indices.slice(0, 1)],
])('nobody is warned of shared keys where %s', (_, elasticsearch, indices) => {
  expect(warningsOn(elasticsearch, indices)).toEqual([])
})
