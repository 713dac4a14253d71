import { Buffer } from 'node:buffer'
import { type DataStream, dataStreamName, type TelemetryDocument } from '../documents/document.ts'
import type { Queued, Worth } from '../outbox/queue.ts'

/** A document on its way to Elasticsearch. */
export interface BulkDocument extends Queued {
  /** The data stream; on servers that have none, the name of the plain index but for its day. */
  readonly stream: string
  /** Makes a repeat after a lost answer recognisable. */
  readonly id: string
  /** Of its time in UTC, e.g. `2026.11.24`. */
  readonly day: string
  /** One line. */
  readonly json: string
}

/** Of the two names around a document in the request. */
const ACTION_BYTES = 120

export function bulkDocument(
  document: TelemetryDocument,
  { stream, id, atMs, worth }: { stream: DataStream; id: string; atMs: number; worth: Worth },
): BulkDocument {
  const json = JSON.stringify(document)
  const bytes = Buffer.byteLength(json) + ACTION_BYTES
  return { stream: dataStreamName(stream), id, day: dayOf(atMs), json, bytes, worth }
}

/** Two lines of a bulk request: the action, then the document. */
export function bulkLines({ stream, id, day, json }: BulkDocument, isDated: boolean): string {
  return `{"create":{"_index":"${isDated ? `${stream}-${day}` : stream}","_id":"${id}"}}\n${json}\n`
}

const DAY_MS = 86_400_000
const lastDay = { number: -1, text: '' }

/** In UTC. Nearly all documents are of the same day as the one before. */
export function dayOf(atMs: number): string {
  const number = Math.floor(atMs / DAY_MS)
  if (number !== lastDay.number) {
    lastDay.number = number
    lastDay.text = new Date(atMs).toISOString().slice(0, 10).replaceAll('-', '.')
  }
  return lastDay.text
}
