import { Buffer } from 'node:buffer'
import type { KafkaMessage } from 'kafkajs'
import type { IncomingMessage } from '../batch.ts'
import { decodeRecords, type RecordBatchContext } from './fetched-records.ts'

/** kafkajs's reader of an answer. */
export interface AnswerReader {
  offset: number
  readInt32(): number
  canReadBytes(length: number): boolean
  readBytes(length: number): Buffer
}

/** What kafkajs needs of a message between the answer and the handler. */
export interface DecodedMessage extends IncomingMessage {
  readonly isControlRecord: boolean
  /** Read only where transactions were aborted. */
  readonly batchContext?: Pick<RecordBatchContext, 'producerId' | 'inTransaction'>
}

/** A message of kafkajs's own decoder, with what its typings leave out. */
export type StockMessage = KafkaMessage & Pick<DecodedMessage, 'isControlRecord' | 'batchContext'>

/**
 * In the place of kafkajs's decoder of the records of one partition: ours, and for what is compressed or older than Kafka
 * 0.11 its own. Either way the messages are those of batch.ts already, so nothing has to turn one into the other.
 */
export function messageDecoder(stock: (reader: AnswerReader) => Promise<StockMessage[]>) {
  return async (reader: AnswerReader): Promise<DecodedMessage[]> => {
    const start = reader.offset
    const bytes = reader.readInt32()
    if (bytes <= 0 || !reader.canReadBytes(bytes)) return []
    const records = decodeRecords(reader.readBytes(bytes))
    if (records !== null) return records
    reader.offset = start
    return (await stock(reader)).map(fromStock)
  }
}

function fromStock({ offset, timestamp, headers, ...message }: StockMessage): DecodedMessage {
  const { key, value, isControlRecord, batchContext } = message
  const plain: Record<string, Buffer | undefined> = {}
  for (const name in headers) plain[name] = lastOf(headers[name])
  const place = { offset: Number(offset), timestampMs: Number(timestamp) }
  const context = batchContext === undefined ? {} : { batchContext }
  return { ...place, key, value, headers: plain, isControlRecord, ...context }
}

/** kafkajs hands over one Buffer, or a list when the header is repeated: the last one counts. */
function lastOf(header: NonNullable<KafkaMessage['headers']>[string]): Buffer | undefined {
  const last = Array.isArray(header) ? header.at(-1) : header
  return typeof last === 'string' ? Buffer.from(last) : last
}
