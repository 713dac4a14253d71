import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkBooks } from './s3mock-books.ts'

let objects: string
beforeEach(() => {
  objects = mkdtempSync(join(tmpdir(), 'freshet-objects-'))
  mkdirSync(join(objects, 'freshet'))
})
afterEach(() => rmSync(objects, { recursive: true }))

function writeBook(text: string): void {
  writeFileSync(join(objects, 'freshet', 'bucketMetadata.json'), text)
}

test('a first start, and a bucket whose list is whole, are well', () => {
  expect(() => checkBooks(objects)).not.toThrow()
  writeBook('{"name":"freshet","objects":{}}')
  expect(() => checkBooks(objects)).not.toThrow()
})

test.each(['', '{"name":"freshet","obj'])(
  'a list that a kill has cut short is refused with the way out: %j',
  (text) => {
    writeBook(text)
    expect(() => checkBooks(objects)).toThrow(
      expect.objectContaining({
        code: 'SERVICE_START_FAILED',
        message: expect.stringMatching(/bucketMetadata\.json is damaged.*push the model again/s),
      }),
    )
  },
)
