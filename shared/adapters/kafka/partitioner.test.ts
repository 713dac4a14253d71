import fc from 'fast-check'
import { Partitioners } from 'kafkajs'
import { expect, test } from 'vitest'
import { partitionOf } from './partitioner.ts'

test('a key goes where Kafka’s own default partitioner sends it', () => {
  const theirs = Partitioners.DefaultPartitioner()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 1_000 }), (bytes, partitions) => {
      const key = Buffer.from(bytes)
      const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
        partitionId,
        leader: 0,
        partitionErrorCode: 0,
        replicas: [],
        isr: [],
      }))
      const expected = theirs({ topic: 't', partitionMetadata, message: { key, value: null } })
      expect(partitionOf(key, partitions)).toBe(expected)
    }),
  )
})

test('a key keeps its partition for ever', () => {
  const places = ['', 'a', 'AA-12', 'flights/7f3a', 'größer'].map((key) => partitionOf(Buffer.from(key), 8))
  expect(places).toMatchInlineSnapshot(`
    [
      1,
      4,
      0,
      4,
      0,
    ]
  `)
})
