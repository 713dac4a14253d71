import type { ShardCopy } from '@freshet/adapters/elasticsearch/shards-api.ts'
import { expect, test } from 'vitest'
import { indexStates } from './index-states.ts'

const numbers = { max_seq_no: 9, local_checkpoint: 9, global_checkpoint: 9 }
const copy = (node: string, primary: boolean, seq_no = numbers): ShardCopy => ({
  routing: { node, primary, state: 'STARTED' },
  seq_no,
})
const stateOf = (...copies: ShardCopy[]) =>
  indexStates({ indices: { i: { uuid: 'u', shards: { 0: copies } } } }).get('i')

const atRest = stateOf(copy('a', true), copy('b', false))

test('an index at rest has one state, in whatever order its copies answer', () => {
  expect(stateOf(copy('b', false), copy('a', true))).toBe(atRest)
})

test.each([
  ['begins', { ...numbers, max_seq_no: 10 }],
  ['ends on the copy itself', { ...numbers, max_seq_no: 10, local_checkpoint: 10 }],
  ['ends on all copies', { max_seq_no: 10, local_checkpoint: 10, global_checkpoint: 10 }],
])('an operation that %s makes another state', (_, seqNo) => {
  expect(stateOf(copy('a', true, seqNo), copy('b', false))).not.toBe(atRest)
})

test('a failover makes another state, and an index that does not answer has none', () => {
  expect(stateOf(copy('b', true))).not.toBe(atRest)
  expect(indexStates({}).get('i')).toBeUndefined()
})
