/**
 * When no broker answers, kafkajs 2.2.4 says that there is no metadata (null) and falls over it itself: a TypeError, which
 * reads like a bug of ours. With this guard it says that it has lost its connection, which it has.
 */
import { createRequire } from 'node:module'
import kafkajs from './kafkajs.ts'

interface Cluster {
  metadata(of?: object): Promise<object | null>
}

const require = createRequire(import.meta.url)
const guarded = Symbol.for('freshet.kafka.metadata-answer')

/** Applies to every client of this process. Doing it again changes nothing. */
export function guardMetadata(): void {
  const prototype: Cluster & { [guarded]?: true } = require('kafkajs/src/cluster/index.js').prototype
  if (prototype[guarded]) return
  prototype[guarded] = true
  const metadata = prototype.metadata
  prototype.metadata = async function (this: Cluster, of) {
    const answer = await metadata.call(this, of)
    if (answer === null) throw new kafkajs.KafkaJSConnectionError('no broker has answered for the metadata')
    return answer
  }
}
