import type { Buffer } from 'node:buffer'
import type { ErrorCode } from '@freshet/errors/errors.ts'
import type { Change, TraceContext } from '@freshet/records/change.ts'
import { MAX_KEY_BYTES } from '@freshet/records/document-key.ts'
import type { Hit } from '@freshet/records/hit.ts'
import { MAX_MESSAGE_BYTES } from '@freshet/records/topics.ts'
import { FieldCutter } from './cut-field.ts'
import { indexAndId, keyCutter } from './document-key.ts'
import type { Scope } from './scope.ts'

/** What one page has in common. */
export interface Page {
  readonly epoch: number
  /** When the page was asked for: the documents were current at this moment or later. */
  readonly capturedAtMs: number
  readonly trace: TraceContext | null
}

/** A document in scope that cannot travel as a change: one for the dead letters. */
export interface Unusable {
  readonly code: Extract<ErrorCode, 'KEY_MISSING' | 'VERSION_MISSING' | 'DOCUMENT_TOO_LARGE'>
  readonly reason: string
  readonly hit: Hit
  /** Under its index and id when it has no key of its own; of version 0 when it has none. */
  readonly change: Change
}

/**
 * 1 → 2: gives a hit its key and revision, and makes a delete of one that is out of scope. Cuts bytes, parses nothing.
 * @returns undefined for a document out of scope without key or version. Should it have had them when it was in scope, a
 *   sweep finds what is left of it.
 */
export type HitToChange = (hit: Hit, page: Page) => Change | Unusable | undefined

/** What stands beside a document in its message, and then some: key, headers, what frames them. */
const BESIDE_SOURCE_BYTES = 8_192

/** @param maxMessageBytes that Kafka takes. */
export function hitToChange(
  { key: scheme, versionField }: Pick<Scope, 'key' | 'versionField'>,
  maxMessageBytes = MAX_MESSAGE_BYTES,
): HitToChange {
  const maxSourceBytes = maxMessageBytes - BESIDE_SOURCE_BYTES
  const cutKey = keyCutter(scheme)
  const version = versionField === undefined ? undefined : new FieldCutter(versionField)
  return (hit, page) => {
    const key = cutKey(hit)
    const { source } = hit
    const documentVersion = version === undefined ? 0 : version.count(source)
    if (key !== undefined && documentVersion !== undefined && source.length <= maxSourceBytes)
      return changeOf(hit, source, page, key, documentVersion)
    const change = changeOf(hit, source, page, key ?? indexAndId(hit), documentVersion ?? 0)
    if (!hit.isInScope) return key !== undefined && documentVersion !== undefined ? change : undefined
    if (source.length > maxSourceBytes) return tooLarge(hit, change)
    if (key !== undefined)
      return { code: 'VERSION_MISSING', reason: whyUnusable(hit, versionField!, USABLE_VERSION), hit, change }
    // Every document has an id: only a field can be missing.
    const field = typeof scheme === 'object' ? scheme.field : scheme
    return { code: 'KEY_MISSING', reason: whyUnusable(hit, field, USABLE_KEY), hit, change }
  }
}

const USABLE_KEY = `text of at most ${MAX_KEY_BYTES} bytes or a whole number`
const USABLE_VERSION = 'a whole number from 0 to 2^53'

/** A field that nobody has written is mended elsewhere than one of another type. */
export function isUnusable(change: Change | Unusable): change is Unusable {
  return 'code' in change
}

function whyUnusable({ source }: Hit, field: string, usable: string): string {
  const found = new FieldCutter(field).describe(source)
  return found === undefined ? `no ${field} in the document` : `${field} is ${found}, not ${usable}`
}

function tooLarge(hit: Hit, change: Change): Unusable {
  return {
    code: 'DOCUMENT_TOO_LARGE',
    reason: `${hit.source.length} bytes are too many for Kafka`,
    hit,
    change,
  }
}

function changeOf(hit: Hit, source: Buffer, page: Page, key: Buffer, documentVersion: number): Change {
  return {
    key,
    revision: { documentVersion, epoch: page.epoch, primaryTerm: hit.primaryTerm, seqNo: hit.seqNo },
    capturedAtMs: page.capturedAtMs,
    source: hit.isInScope ? source : null,
    trace: page.trace,
  }
}
