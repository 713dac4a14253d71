import { expect, test } from 'vitest'
import { golden } from './golden/golden.kit.ts'
import { decodeNote, inferNoteRecord, rescoreNoteRecord } from './scoring-note.ts'

test('the notes beside offsets keep their text', () => {
  const infer = { version: 1, generation: 7, sinceOffset: 4_200 } as const
  const rescore = { version: 1, generation: 7, beganAtMs: 1_764_000_000_000 } as const
  expect(inferNoteRecord.encode(infer)).toBe(golden('infer-note.v1.txt').toString())
  expect(rescoreNoteRecord.encode(rescore)).toBe(golden('rescore-note.v1.txt').toString())
  expect(decodeNote(inferNoteRecord, golden('infer-note.v1.txt').toString())).toEqual(infer)
  expect(decodeNote(rescoreNoteRecord, golden('rescore-note.v1.txt').toString())).toEqual(rescore)
})

test('no note and the note of another tool say nothing; the note of a newer build is refused by name', () => {
  for (const foreign of ['', 'moved by hand', '{}', '{"version":1,"generation":"x"}'])
    expect(decodeNote(inferNoteRecord, foreign)).toBeNull()
  expect(() => decodeNote(inferNoteRecord, '{"version":2}')).toThrow(
    /infer note version 2, this build reads 1/,
  )
})
