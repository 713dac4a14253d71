/**
 * What capture is measured against, from Elasticsearch to Kafka: fetch, the pages of an index of one shard in the order of
 * its sequence numbers, and the producer of stock kafkajs. No checkpoints, so what Elasticsearch shows too late is missed;
 * no cursor, so it begins anew with every start; no deletes, and nobody is told of anything.
 * Tells its parent when it begins. Arguments: URL of Elasticsearch, index, brokers, topic.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'

interface Page {
  readonly hits: { readonly hits: readonly Hit[] }
}

interface Hit {
  readonly _id: string
  readonly _seq_no: number
  readonly _source: object
}

const PAGE_ROWS = 3_000
const LOOK_EVERY_MS = 250

const [url, index, brokers, topic] = process.argv.slice(2) as [string, string, string, string]
const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING })
const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
await producer.connect()
process.once('disconnect', () => process.exit())
process.send!('connected')
for (let from = 0; ; ) {
  const hits = await read(from)
  const messages = hits.map(({ _id, _source }) => ({
    key: `${index}/${_id}`,
    value: JSON.stringify(_source),
  }))
  if (messages.length > 0) await producer.send({ topic, messages })
  from = (hits.at(-1)?._seq_no ?? from - 1) + 1
  if (hits.length < PAGE_ROWS) await sleep(LOOK_EVERY_MS)
}

async function read(fromSeqNo: number): Promise<readonly Hit[]> {
  const answer = await fetch(new URL(`/${index}/_search`, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      size: PAGE_ROWS,
      sort: [{ _seq_no: { order: 'asc', unmapped_type: 'long' } }],
      query: { range: { _seq_no: { gte: fromSeqNo } } },
      seq_no_primary_term: true,
      track_total_hits: false,
    }),
  })
  if (!answer.ok) throw new Error(`a page was answered with ${answer.status}: ${await answer.text()}`)
  return ((await answer.json()) as Page).hits.hits
}
