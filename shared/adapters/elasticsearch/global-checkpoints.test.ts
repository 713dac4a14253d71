import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { checkpointsIn } from './global-checkpoints.ts'

const answer = (value: unknown) => Buffer.from(JSON.stringify(value))
const copy = (primary: boolean, checkpoint: number) => ({
  routing: { primary, node: 'n1' },
  seq_no: { global_checkpoint: checkpoint },
  retention_leases: { primary_term: 1 },
})

test('each primary is named with its checkpoint; replicas, and shards without a primary, are left out', () => {
  const indices = {
    flights: { uuid: 'u1', shards: { 0: [copy(false, 3), copy(true, 4)], 1: [copy(true, -1)], 2: [] } },
    other: { uuid: 'u2', shards: { 0: [copy(false, 7)] } },
  }
  expect(checkpointsIn(answer({ indices }))).toEqual([
    { index: 'flights', indexUuid: 'u1', shard: 0, checkpoint: 4 },
    { index: 'flights', indexUuid: 'u1', shard: 1, checkpoint: -1 },
  ])
})

test('a primary that still recovers does not know its checkpoint, and is left out while the others are named', () => {
  const indices = { flights: { uuid: 'u1', shards: { 0: [copy(true, -2)], 1: [copy(true, 4)] } } }
  expect(checkpointsIn(answer({ indices }))).toEqual([
    { index: 'flights', indexUuid: 'u1', shard: 1, checkpoint: 4 },
  ])
})

test('a pattern without an open index has no checkpoints, and what is no JSON is an error', () => {
  expect(checkpointsIn(answer({}))).toEqual([])
  expect(() => checkpointsIn(Buffer.from('<html>'))).toThrow(
    expect.objectContaining({ code: 'HIT_MALFORMED' }),
  )
})
