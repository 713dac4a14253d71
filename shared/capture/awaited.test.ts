import { type Cursor, cursorRecord } from '@freshet/records/cursor.ts'
import { golden } from '@freshet/records/golden/golden.kit.ts'
import { expect, test } from 'vitest'
import { isAwaited, wasCaptured } from './awaited.ts'

const cursor = cursorRecord.decode(golden('cursor.v2.txt')) // of the index `flights`
const none = new Map<string, Cursor>()
const some = new Map([['u/0', cursor]])

test.each([
  ['a pattern is waited for before anything was captured', 'flights-*', none, true, false],
  ['a pattern of which something was captured has gone keys', 'flights-*', some, true, true],
  ['a name that was captured is waited for', 'flights', some, true, true],
  ['one of several names too', 'trains,flights', some, true, true],
  ['a name that never was captured is an error', 'flihgts', some, false, false],
  ['and so is any while nothing was', 'flights', none, false, false],
] as const)('%s', (_, name, cursors, awaited, captured) => {
  expect([isAwaited(name, cursors), wasCaptured(name, cursors)]).toEqual([awaited, captured])
})
