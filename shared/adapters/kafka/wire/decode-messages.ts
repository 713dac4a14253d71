import type { Buffer } from 'node:buffer'
import { decodeRecords, type FetchedRecord } from './fetched-records.ts'

/** kafkajs's reader of an answer. */
export interface AnswerReader {
  readInt32(): number
  canReadBytes(length: number): boolean
  readBytes(length: number): Buffer
}

/** In the place of kafkajs's decoder of the records of one partition. @throws as decodeRecords does */
export async function decodeMessages(reader: AnswerReader): Promise<FetchedRecord[]> {
  const bytes = reader.readInt32()
  return bytes <= 0 || !reader.canReadBytes(bytes) ? [] : decodeRecords(reader.readBytes(bytes))
}
