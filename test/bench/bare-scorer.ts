/**
 * What the scorer's latency is measured against: stock kafkajs, the model by heart, and a SET of Redis for each change.
 * No scores on Kafka, no ranks, no deletes, and what comes twice is written twice. Tells its parent when it has joined.
 * Arguments: brokers, topic, group, URL of Redis, key prefix, model folder.
 */
import { Redis } from 'ioredis'
import kafkajs from 'kafkajs'
import { type BareDocument, openBareModel } from './bare-model.ts'

const [brokers, topic, groupId, redisUrl, keyPrefix, folder] = process.argv.slice(2) as [
  ...[string, string, string, string, string, string],
]
const redis = new Redis(redisUrl)
const scoresOf = await openBareModel(folder)
const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING })
const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 500 })
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
consumer.on(consumer.events.GROUP_JOIN, () => process.send?.('joined'))
await consumer.run({
  partitionsConsumedConcurrently: 16,
  async eachBatch({ batch: { messages } }) {
    const documents = messages.map(({ value }) => JSON.parse(value!.toString()) as BareDocument)
    const scores = await scoresOf(documents)
    const writes = redis.pipeline()
    for (const [at, { key }] of messages.entries())
      writes.set(`${keyPrefix}${key!.toString()}`, JSON.stringify({ score: scores[at]! }))
    await writes.exec()
  },
})
process.once('disconnect', () => process.exit())
