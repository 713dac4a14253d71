import { expect, test } from 'vitest'
import { type Told, toldRecord } from './told.ts'

test('what was told keeps its bytes, and a version of a newer build is refused by name', () => {
  const told: Told = { version: 1, sinceMs: 1, toldAtMs: 2, errorCode: 'DEADLINE' }
  const bytes = '{"version":1,"sinceMs":1,"toldAtMs":2,"errorCode":"DEADLINE"}'
  expect(toldRecord.encode(told)).toBe(bytes)
  expect(toldRecord.decode(bytes)).toEqual(told)
  expect(() => toldRecord.decode('{"version":9}')).toThrow(/version 9, this build reads 1/)
})
