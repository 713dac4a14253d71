import { describe, expect, test } from 'vitest'
import { joinViews } from './shards.ts'

type State = Parameters<typeof joinViews>[0]
type Stats = Parameters<typeof joinViews>[1]

const state: State = {
  metadata: { indices: { i: { primary_terms: { 0: 2 } } } },
  routing_table: {
    indices: {
      i: {
        shards: {
          0: [
            { primary: false, node: 'n2', allocation_id: { id: 'a2' } },
            { primary: true, node: 'n1', allocation_id: { id: 'a1' } },
          ],
        },
      },
    },
  },
}

function stats(routing: { node: string | null; state: string }): Stats {
  const copy = {
    routing: { primary: true, ...routing },
    seq_no: { max_seq_no: 9, global_checkpoint: 7 },
    commit: { user_data: { history_uuid: 'h' } },
  }
  return {
    indices: {
      i: { uuid: 'u', shards: { 0: [{ ...copy, routing: { ...copy.routing, primary: false } }, copy] } },
    },
  }
}

describe('a primary shard', () => {
  test('has the term of the cluster state and the checkpoint of its own statistics', () => {
    expect(joinViews(state, stats({ node: 'n1', state: 'STARTED' }))).toEqual({
      readable: [
        {
          index: 'i',
          shard: 0,
          identity: { indexUuid: 'u', historyUuid: 'h', node: 'n1', allocationId: 'a1', primaryTerm: 2 },
          globalCheckpoint: 7,
          maxSeqNo: 9,
        },
      ],
      unreadable: [],
    })
  })

  test.each([
    ['is on another node by one of the two views', stats({ node: 'n2', state: 'STARTED' })],
    ['is not started', stats({ node: 'n1', state: 'INITIALIZING' })],
    ['is left out of the statistics, which answer 200 without it', { indices: {} }],
    ['has no statistics at all', {}],
  ])('that %s cannot be read now, which is not "nothing new"', (_, view) => {
    expect(joinViews(state, view)).toEqual({ readable: [], unreadable: ['i/0'] })
  })
})
