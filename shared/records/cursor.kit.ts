import type { Cursor } from './cursor.ts'

/** Of shard `u/0`, captured up to 5 and swept never, where a test says nothing else. */
export function storedCursor(changes: Partial<Cursor> = {}): Cursor {
  return {
    version: 2,
    clusterUuid: 'c',
    index: 'i',
    shard: 0,
    identity: { indexUuid: 'u', historyUuid: 'h', node: 'n', allocationId: 'a', primaryTerm: 1 },
    epoch: 1_000,
    seqNo: 5,
    windows: [],
    scope: 's',
    deadEpochs: [],
    sweep: null,
    ...changes,
  }
}
