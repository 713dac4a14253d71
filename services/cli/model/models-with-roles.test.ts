import type { ModelPointer } from '@freshet/model/bundle/model-pointer.ts'
import { expect, test } from 'vitest'
import { describeModels, withRoles } from './models-with-roles.ts'

const pushed = (version: string) => ({ name: 'delay', version, bytes: 1_200_000, pushedAtMs: 0 })
const promotion = (modelVersion: string, generation: number) => ({
  name: 'delay',
  modelVersion,
  sha256: '',
  generation,
  promotedAtMs: 0,
})
const current: ModelPointer = {
  version: 1,
  ...promotion('3', 4),
  previous: [promotion('2', 3), promotion('1', 1)],
}

test('each model says what it is', () => {
  const shadow = { version: 1 as const, name: 'delay', modelVersion: '4', sha256: '', sinceMs: 0 }
  const models = [pushed('4'), pushed('3'), { ...pushed('2'), pushedAtMs: null }, pushed('0')]
  expect(describeModels(withRoles(models, current, shadow)).split('\n')).toEqual([
    '  delay@4  pushed 1970-01-01T00:00:00.000Z, 1.2 MB; shadow',
    '  delay@3  pushed 1970-01-01T00:00:00.000Z, 1.2 MB; CURRENT since 1970-01-01T00:00:00.000Z, generation 4',
    '  delay@2  incomplete: push it again; a rollback away',
    '  delay@0  pushed 1970-01-01T00:00:00.000Z, 1.2 MB',
    '  delay@1  GONE from the store; 2 rollbacks away',
    '',
  ])
})

test('where nothing is pushed, it says what to do', () => {
  expect(describeModels(withRoles([], null, null))).toBe(
    'no model is pushed: `freshet model push <folder>`\n',
  )
})
