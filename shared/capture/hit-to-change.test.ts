import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { hitToChange } from './hit-to-change.ts'

const hit = {
  index: 'flights',
  id: 'UA/15 é',
  seqNo: 7,
  primaryTerm: 2,
  source: Buffer.from('{"n":9223372036854775807}'),
}
const page = { epoch: 100, capturedAtMs: 5, keyScheme: 'index/id', trace: null } as const

test('a change carries the revision under which its document was written, and its very bytes', () => {
  const change = hitToChange(hit, page)
  expect(change.revision).toEqual({ documentVersion: 0, epoch: 100, primaryTerm: 2, seqNo: 7 })
  expect(change.source).toBe(hit.source)
})

test('a document is named by its index and id, or by its id alone', () => {
  expect(hitToChange(hit, page).key.toString()).toBe('flights/UA/15 é')
  expect(hitToChange(hit, { ...page, keyScheme: 'id' }).key.toString()).toBe('UA/15 é')
})
