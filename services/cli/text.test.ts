import { expect, test } from 'vitest'
import { harmlessLines, percent, short, table, timeOf } from './text.ts'

test('figures are as long as people can read', () => {
  expect([0.1234567, 12, 1_234_567].map(short)).toEqual(['0.1235', '12', '1235000'])
})

test('a small share is not nothing', () => {
  expect([0, 0.0001, 0.125, 1].map(percent)).toEqual(['0.0 %', '<0.1 %', '12.5 %', '100.0 %'])
})

test('a time says its zone', () => {
  expect(timeOf(1_764_000_000_000)).toBe('2025-11-24T16:00:00.000Z')
})

test('columns stand below each other', () => {
  const rows = [
    ['', 'live'],
    ['flights/0', '7'],
    ['a', '1,000'],
  ]
  expect(table(rows)).toEqual(['              live', '  flights/0      7', '  a          1,000'])
  expect(
    table(
      [
        ['name', 'path', ''],
        ['a', '/b', '1'],
      ],
      2,
    ),
  ).toEqual(['  name  path', '  a     /b    1'])
  expect(table([])).toEqual([])
})

test('nothing in a line of others steers the terminal, or makes another line', () => {
  expect(harmlessLines(['a\u001b[2Jb', 'c\nd\u202e'])).toBe('a [2Jb\nc d \n')
})
