import { Buffer } from 'node:buffer'
import { MAX_KEY_BYTES } from '@freshet/records/document-key.ts'
import type { Hit } from '@freshet/records/hit.ts'
import { FieldCutter } from './cut-field.ts'
import type { KeyScheme } from './scope.ts'

/** What a key is made of. */
type Named = Pick<Hit, 'index' | 'id' | 'idBytes' | 'source'>

/** UTF-8 bytes of a document's key; undefined when it has none that is usable. */
export type KeyCutter = (document: Named) => Buffer | undefined

/** The name of a document everywhere in Freshet, e.g. `flights/2013-01-15-UA-1545-EWR`. */
export function keyCutter(scheme: KeyScheme): KeyCutter {
  if (scheme === 'index/id') return indexAndId
  if (scheme === 'id') return (hit) => hit.idBytes ?? Buffer.from(hit.id)
  const field = new FieldCutter(scheme.field)
  return ({ source }) => {
    const text = field.text(source)
    return text !== undefined && text.length > 0 && text.length <= MAX_KEY_BYTES ? text : undefined
  }
}

export function indexAndId(hit: Pick<Hit, 'index' | 'id' | 'idBytes'>): Buffer {
  const beginning = beginningOf(hit.index)
  const id = hit.idBytes ?? Buffer.from(hit.id)
  const key = Buffer.allocUnsafe(beginning.length + id.length)
  key.set(beginning)
  key.set(id, beginning.length)
  return key
}

/** Documents of an index come one after the other. */
let last = { index: '', bytes: Buffer.from('/') }

function beginningOf(index: string): Buffer {
  if (last.index !== index) last = { index, bytes: Buffer.from(`${index}/`) }
  return last.bytes
}
