import { golden } from '@freshet/records/golden/golden.kit.ts'
import { expect, test } from 'vitest'
import { decodePositions, isWhole, readMark } from './fill-mark.ts'

const SERVERS = '0f1e2d3c4b5a'

test('marks as builds before this one left them in Redis are understood', () => {
  const marks = golden('fill-mark.v1.txt').toString().split('\n').map(readMark)
  expect(marks.map((mark) => isWhole(mark, SERVERS))).toEqual([false, true, true])
  expect(marks.map((mark) => isWhole(mark, 'a5b4c3d2e1f0'))).toEqual([false, false, false])
  expect(new Set(marks.map(({ id }) => id)).size).toBe(1)
  expect(marks.map(({ positions }) => decodePositions(positions))).toEqual([
    undefined,
    undefined,
    [
      [0, 120],
      [1, 95],
    ],
  ])
})
