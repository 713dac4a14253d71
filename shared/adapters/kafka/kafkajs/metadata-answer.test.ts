import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { toKafkaError } from '../kafka-error.ts'
import { guardMetadata } from './metadata-answer.ts'

const require = createRequire(import.meta.url)
const Cluster = require('kafkajs/src/cluster/index.js')

test('that no broker answers for the metadata is a lost connection, and no bug', async () => {
  guardMetadata()
  const error = await metadataOf(null).catch((thrown: unknown) => thrown)
  expect(toKafkaError(error, 'asking')).toMatchObject({ code: 'KAFKA_UNREACHABLE' })
})

test('what a broker answers is passed on', async () => {
  guardMetadata()
  const answer = { topicMetadata: [] }
  expect(await metadataOf(answer)).toBe(answer)
})

/** What a cluster says of it whose brokers answer so. */
function metadataOf(answer: object | null): Promise<unknown> {
  const cluster = Object.create(Cluster.prototype)
  cluster.retrier = (work: (bail: (error: unknown) => void) => unknown) => work(() => {})
  cluster.brokerPool = { refreshMetadataIfNecessary: async () => {}, withBroker: async () => answer }
  return cluster.metadata()
}
