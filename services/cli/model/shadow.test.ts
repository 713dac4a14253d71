import { expect, test } from 'vitest'
import { taskOf } from './shadow.ts'

test('only who makes a shadow, or ends it, changes which model scores', () => {
  expect(taskOf({ name: 'delay', version: '2' }, false)).toEqual({
    doing: 'making delay@2 the shadow',
    changes: true,
  })
  expect(taskOf(undefined, true)).toMatchObject({ changes: true })
  expect(taskOf(undefined, false)).toEqual({ doing: 'looking at the shadow' })
})
