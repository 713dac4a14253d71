import { emptyRows } from '@freshet/records/score-batch.ts'
import { expect, test } from 'vitest'
import type { ScoredBatch } from '../infer/batch-scorer.ts'
import { ShadowQueue } from './shadow-queue.ts'

const model = { label: 'delay@1', outputs: ['score'] }

/** Documents 1 to n, of which every third went to the dead letters before the model, and of the rest the first has no score. */
function scored(count: number): ScoredBatch {
  const messages = Array.from({ length: count }, (_, offset) => ({
    offset,
    key: Buffer.from('k'),
    value: Buffer.from(`${offset}`),
    headers: {},
  }))
  const scorable = Uint32Array.from(messages.keys().filter((row) => row % 3 !== 2))
  const column = Float64Array.from(scorable, (row, i) => (i === 0 ? Number.NaN : row * 10))
  return {
    batch: {} as ScoredBatch['batch'],
    features: {
      fromOffset: 0,
      toOffset: count - 1,
      rows: emptyRows(count, 0, 0),
      messages,
      features: {} as ScoredBatch['features']['features'],
      scorable,
      dead: [],
      origins: [],
    },
    scores: { columns: [column], failures: new Map() },
  }
}

test('what the promoted model has scored waits, each document beside its score', () => {
  const queue = new ShadowQueue()
  expect(queue.bell.aborted).toBe(false)
  queue.offer(model, scored(6))
  expect(queue.bell.aborted).toBe(true)
  const { documents, columns, current } = queue.take()!
  expect(current).toBe('delay@1')
  expect(documents.map(String)).toEqual(['1', '3', '4'])
  expect([...columns[0]!]).toEqual([10, 30, 40])
  expect(queue.bell.aborted).toBe(false)
  expect(queue.take()).toBeUndefined()
})

test('what finds no room is counted and left out, and nobody waits for it', () => {
  const queue = new ShadowQueue()
  for (let batch = 0; batch < 6; batch++) queue.offer(model, scored(6))
  expect(queue.takeSkipped()).toBe(6)
  expect(queue.takeSkipped()).toBe(0)
  for (let batch = 0; batch < 4; batch++) expect(queue.take()).toBeDefined()
  expect(queue.take()).toBeUndefined()
})

test('a batch without any score is nothing to compare', () => {
  const queue = new ShadowQueue()
  queue.offer(model, scored(1))
  expect(queue.bell.aborted).toBe(false)
  expect(queue.take()).toBeUndefined()
})
