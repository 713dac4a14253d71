import { inferNoteRecord } from '@freshet/records/scoring-note.ts'
import { expect, test } from 'vitest'
import { Stretches } from './stretches.ts'

const startAt = (nextOffset: number, note = '') => ({ nextOffset, note })
const noteOf = (generation: number, sinceOffset: number) => ({ version: 1, generation, sinceOffset }) as const

test('a stretch begins where the partition was taken over, and goes on while the model stays', () => {
  const stretches = new Stretches()
  const start = startAt(40)
  expect(stretches.during(0, start, 2)).toEqual(noteOf(2, 40))
  stretches.advance(0, 60)
  expect(stretches.during(0, start, 2)).toEqual(noteOf(2, 40))
  expect(stretches.during(0, start, 3)).toEqual(noteOf(3, 60))
})

test('the next owner goes on with the stretch that is noted, unless his model is another one', () => {
  const start = startAt(60, inferNoteRecord.encode(noteOf(2, 40)))
  expect(new Stretches().during(0, start, 2)).toEqual(noteOf(2, 40))
  expect(new Stretches().during(0, start, 1)).toEqual(noteOf(1, 60))
  expect(new Stretches().during(0, startAt(60, 'moved by hand'), 2)).toEqual(noteOf(2, 60))
})

test('where nothing is left below, the stretch reaches down to the beginning', () => {
  const stretches = new Stretches()
  const start = startAt(40)
  stretches.settle(0, noteOf(2, 40)) // of a partition that is not ours
  expect(stretches.during(0, start, 2)).toEqual(noteOf(2, 40))
  stretches.settle(0, noteOf(2, 40))
  expect(stretches.during(0, start, 2)).toEqual(noteOf(2, 0))
})

test('what was found of an earlier stretch says nothing of what others scored since with an older model', () => {
  const stretches = new Stretches()
  stretches.during(0, startAt(40), 2)
  const again = startAt(90, inferNoteRecord.encode(noteOf(1, 60)))
  expect(stretches.during(0, again, 2)).toEqual(noteOf(2, 90))
  stretches.settle(0, noteOf(2, 40))
  stretches.settle(0, noteOf(1, 90))
  expect(stretches.during(0, again, 2)).toEqual(noteOf(2, 90))
})
