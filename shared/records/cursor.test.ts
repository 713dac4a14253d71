import { expect, test } from 'vitest'
import { type Cursor, cursorRecord } from './cursor.ts'
import { golden } from './golden/golden.kit.ts'

const cursor: Cursor = {
  version: 2,
  clusterUuid: 'N8aFq0JrRz2kU3vT5cWb9g',
  index: 'flights',
  shard: 2,
  identity: {
    indexUuid: 'Jw3n0UvJQ0m1nW8bWmXgXA',
    historyUuid: 'p2v0yQ1gQ8yN4H1d0tq6bQ',
    node: 'b7GkS0iFT2a0VqJ1mD3x2w',
    allocationId: 'cYw2hZ2PSk2m6s1O9vUj0A',
    primaryTerm: 3,
  },
  epoch: 1_764_000_002_000,
  seqNo: 4_711,
  windows: [
    { startSeqNo: 4_000, highSeqNo: 4_720 },
    { startSeqNo: 4_500, highSeqNo: null },
  ],
  scope: '5f0c7a1e',
  deadEpochs: [1_763_000_000_005],
  sweep: { deleteTotal: 12, sweptAtMs: 1_764_000_001_000 },
}

test('a cursor of version 2 keeps its text', () => {
  const text = golden('cursor.v2.txt')
  expect(cursorRecord.encode(cursor)).toBe(text.toString())
  expect(cursorRecord.decode(text)).toEqual(cursor)
})

test('a cursor of version 1 is still read, as one under no scope that has never been swept', () => {
  expect(cursorRecord.decode(golden('cursor.v1.txt'))).toEqual({
    ...cursor,
    ...{ clusterUuid: '', scope: '', deadEpochs: [], sweep: null },
  })
})

test.each([
  [
    'of a later version sends to the reader',
    { version: 3 },
    'RECORD_VERSION',
    /Upgrade the service that reads/,
  ],
  [
    'of an unknown early one to the writer',
    { version: 0 },
    'RECORD_OUTDATED',
    /Upgrade the service that wrote/,
  ],
  ['without a version to whoever writes there', {}, 'RECORD_MALFORMED', /look at who else writes/],
])('a cursor %s', (_, changes, code, hint) => {
  const { version: __, ...body } = cursor
  expect(() => cursorRecord.decode(JSON.stringify({ ...body, ...changes }))).toThrow(
    expect.objectContaining({ code, hint: expect.stringMatching(hint) }),
  )
})
