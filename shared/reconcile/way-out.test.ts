import { expect, test } from 'vitest'
import { wayOut } from './way-out.ts'

const document = { documentVersion: 4, epoch: 100, primaryTerm: 1, seqNo: 9 }

test('a document that its own shard hides is written again', () => {
  expect(wayOut(document, { ...document, seqNo: 12 }, undefined)).toMatch(/: write the document again$/)
})

test('nobody is told to write a document again that an index of a higher epoch hides: its epoch would stay', () => {
  const help = wayOut(document, { ...document, epoch: 200 }, undefined)
  expect(help).toContain('writing it again does not help')
  expect(help).toContain('set elasticsearch.versionField, or delete and re-create the index that holds it')
})

test('where a version decides, it is named together with the number to exceed', () => {
  expect(wayOut(document, { ...document, documentVersion: 6 }, 'meta.v')).toBe(
    'a higher meta.v of this key hides it: write it again with one above 6',
  )
  expect(wayOut(document, { ...document, epoch: 200 }, 'meta.v')).toMatch(/with a meta.v above 4$/)
})
