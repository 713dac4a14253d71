import { Buffer } from 'node:buffer'
import type { Change, TraceContext } from '@freshet/records/change.ts'
import type { Hit } from '@freshet/records/hit.ts'

/** What one page has in common. */
export interface Page {
  readonly epoch: number
  /** When the page was asked for: the documents were current at this moment or later. */
  readonly capturedAtMs: number
  readonly keyScheme: string
  readonly trace: TraceContext | null
}

/** 1 → 2: gives a hit its key and revision. Cuts bytes, parses nothing. */
export function hitToChange(hit: Hit, page: Page): Change {
  return {
    key: documentKey(hit.index, hit.id, page.keyScheme),
    revision: { documentVersion: 0, epoch: page.epoch, primaryTerm: hit.primaryTerm, seqNo: hit.seqNo },
    capturedAtMs: page.capturedAtMs,
    source: hit.source,
    trace: page.trace,
  }
}

/** The name of a document everywhere in Freshet, e.g. `flights/2013-01-15-UA-1545-EWR`. */
function documentKey(index: string, id: string, scheme: string): Buffer {
  return Buffer.from(scheme === 'index/id' ? `${index}/${id}` : id)
}
