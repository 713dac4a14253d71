import type { GlobalCheckpoint } from '@freshet/adapters/elasticsearch/global-checkpoints.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import { expect, test } from 'vitest'
import { CaptureLook } from './capture-look.ts'

const checkpoint = (shard: number, at: number): GlobalCheckpoint => ({
  index: 'air',
  indexUuid: 'u',
  shard,
  checkpoint: at,
})
const cursors = (seqNos: Record<number, number>) =>
  new Map(
    Object.entries(seqNos).map(([shard, seqNo]) => [
      `u/${shard}`,
      { epoch: 5, seqNo, identity: { primaryTerm: 2 } } as unknown as Cursor,
    ]),
  )

test('what Elasticsearch has and no cursor has passed is behind, whatever a frozen poller would say', () => {
  const look = new CaptureLook()
  look.see([checkpoint(0, 9), checkpoint(1, 4)], cursors({ 0: 9, 1: 4 }), 0)
  look.see([checkpoint(0, 30), checkpoint(1, 9)], cursors({ 0: 9, 1: 4 }), 10_000)
  expect(look.see([checkpoint(0, 40), checkpoint(1, 9)], cursors({ 0: 9, 1: 6 }), 40_000)).toEqual([
    {
      ...{ index: 'air', indexUuid: 'u', shard: 0, checkpoint: 40, cursorSeqNo: 9, epoch: 5, primaryTerm: 2 },
      ...{ behind: 31, behindSeconds: 30, standsSeconds: 30 },
    },
    {
      ...{ index: 'air', indexUuid: 'u', shard: 1, checkpoint: 9, cursorSeqNo: 6, epoch: 5, primaryTerm: 2 },
      ...{ behind: 3, behindSeconds: 30, standsSeconds: 0 },
    },
  ])
})

test('a shard that nobody has begun is behind by all that it has; an empty one is not', () => {
  const [begun, empty] = new CaptureLook().see([checkpoint(0, 9), checkpoint(1, -1)], new Map(), 0)
  expect(begun).toMatchObject({ cursorSeqNo: null, epoch: null, behind: 10 })
  expect(empty).toMatchObject({ cursorSeqNo: null, behind: 0, behindSeconds: 0 })
})

test('a cursor above the checkpoint, as for a moment after a failover, is not behind', () => {
  expect(new CaptureLook().see([checkpoint(0, 4)], cursors({ 0: 9 }), 0)).toMatchObject([{ behind: 0 }])
})
