/** What callers give → the JSON text that is sent. Pure. What cannot be sent is told here, and asks nobody. */
import { Buffer } from 'node:buffer'
import type { ClientReason } from './results.ts'

/** Text to send, or why there is none. */
export type Written = { readonly text: string } | { readonly fault: ClientReason }

/** As the gateway counts: of an index name and an _id. */
const MAX_KEY_BYTES = 768

export function writeKey(key: string): Written {
  return isKey(key) ? { text: JSON.stringify(key) } : { fault: 'key_invalid' }
}

export function writeDocument({ document, key }: { document: object; key?: string | undefined }): Written {
  const written = writeObject(document)
  if ('fault' in written || key === undefined)
    return 'fault' in written ? written : { text: `{"document":${written.text}}` }
  const id = writeKey(key)
  return 'fault' in id ? id : { text: `{"document":${written.text},"key":${id.text}}` }
}

/** What refers to itself, holds a BigInt or is no object has no text. */
export function writeObject(value: object): Written {
  try {
    const text: unknown = JSON.stringify(value) // undefined for a function, whatever its type says
    if (typeof text === 'string' && text.startsWith('{')) return { text }
  } catch {
    // said below
  }
  return { fault: 'request_unsendable' }
}

/** Half of a surrogate pair would be written as U+FFFD, which is another document's key. */
export function isKey(key: string): boolean {
  return (
    typeof key === 'string' &&
    key !== '' &&
    key.isWellFormed() &&
    (key.length * 3 <= MAX_KEY_BYTES || Buffer.byteLength(key) <= MAX_KEY_BYTES)
  )
}
