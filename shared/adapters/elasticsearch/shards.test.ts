import { describe, expect, test } from 'vitest'
import { joinViews } from './shards.ts'

type State = Parameters<typeof joinViews>[0]
type Stats = Parameters<typeof joinViews>[1]

const index = (uuid: string, state: 'open' | 'close' = 'open') => ({
  state,
  settings: { index: { uuid } },
  primary_terms: { 0: 2 },
})

const state: State = {
  cluster_uuid: 'c',
  metadata: { indices: { i: index('u') } },
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

function stats(routing: { node: string | null; state: string }, uuid = 'u'): Stats {
  const copy = {
    routing: { primary: true, ...routing },
    seq_no: { max_seq_no: 9, global_checkpoint: 7 },
    indexing: { delete_total: 3 },
    commit: { user_data: { history_uuid: 'h' } },
  }
  return {
    indices: {
      i: { uuid, shards: { 0: [{ ...copy, routing: { ...copy.routing, primary: false } }, copy] } },
    },
  }
}

describe('a primary shard', () => {
  test('has the term of the cluster state and the checkpoint of its own statistics', () => {
    expect(joinViews(state, stats({ node: 'n1', state: 'STARTED' }))).toEqual({
      clusterUuid: 'c',
      readable: [
        {
          index: 'i',
          shard: 0,
          identity: { indexUuid: 'u', historyUuid: 'h', node: 'n1', allocationId: 'a1', primaryTerm: 2 },
          globalCheckpoint: 7,
          maxSeqNo: 9,
          deleteTotal: 3,
        },
      ],
      unreadable: [],
      closed: [],
      indexUuids: new Set(['u']),
    })
  })

  test.each([
    ['is on another node by one of the two views', stats({ node: 'n2', state: 'STARTED' })],
    ['is not started', stats({ node: 'n1', state: 'INITIALIZING' })],
    ['is of an index made anew between the two answers', stats({ node: 'n1', state: 'STARTED' }, 'u2')],
    ['is left out of the statistics, which answer 200 without it', { indices: {} }],
    ['has no statistics at all', {}],
  ])('that %s cannot be read now, which is not "nothing new", and is not gone', (_, view) => {
    expect(joinViews(state, view)).toMatchObject({
      readable: [],
      unreadable: ['i/0'],
      indexUuids: new Set(['u']),
    })
  })
})

test('a closed index is told apart from one that is gone, and from one that cannot be read', () => {
  const withClosed: State = { ...state, metadata: { indices: { i: index('u'), j: index('v', 'close') } } }
  expect(joinViews(withClosed, stats({ node: 'n1', state: 'STARTED' }))).toMatchObject({
    readable: [{ index: 'i' }],
    unreadable: [],
    closed: ['j'],
    indexUuids: new Set(['u', 'v']),
  })
})

test('a pattern that matches nothing yet is a view without shards', () => {
  expect(joinViews({ cluster_uuid: 'c' }, {})).toMatchObject({ readable: [], unreadable: [], closed: [] })
})
