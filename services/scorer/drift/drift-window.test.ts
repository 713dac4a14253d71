import { compileColumns } from '@freshet/model/features/columns.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { expect, test } from 'vitest'
import { DriftWindow } from './drift-window.ts'

const golden = Array.from({ length: 200 }, (_, i) => i)

function begin(...before: object[]) {
  const clock = handClock(1_000_000)
  const writer = compileColumns([
    { name: 'a', path: '/a', type: 'number', default: -1 },
    { name: 'c', path: '/c', type: 'category', categories: ['x'], unknown: 9, required: true },
  ])
  const features = writer.allocate(1)
  const write = (...documents: object[]) => {
    for (const document of documents) writer.write(document, features, 0)
  }
  write(...before)
  const window = new DriftWindow({
    windowMs: 12_000,
    counts: () => writer.counts(),
    golden: new Map([['score', golden]]),
    clock,
  })
  return { clock, window, write }
}

test('a column tells its mean, and the shares of what is missing or unknown', () => {
  const { window, write } = begin()
  write({ a: 1, c: 'x' }, { a: 4, c: 'y' }, { c: 'x' }, { a: 4, c: 'x' })
  const { rows, columns } = window.drift()
  expect(rows).toBe(4)
  expect(columns).toEqual([
    { name: 'a', mean: 3, missingShare: 0.25, unknownShare: 0 },
    { name: 'c', mean: 2.25, missingShare: 0, unknownShare: 0.25 },
  ])
})

test('what is older than the window no longer counts', () => {
  const { clock, window, write } = begin()
  const alike = Float64Array.from({ length: 2_000 }, (_, i) => i % 200)
  write({ a: 100, c: 'x' })
  window.add([new Float64Array(2_000).fill(1e6)])
  clock.atMs += 11_000
  window.drift()
  write({ a: 2, c: 'x' })
  window.add([alike])
  expect(window.drift().columns[0]!.mean).toBe(51)
  expect(window.drift().stability.get('score')!).toBeGreaterThan(1)
  clock.atMs += 2_000
  expect(window.drift().columns[0]!.mean).toBe(2)
  expect(window.drift().stability.get('score')!).toBeLessThan(0.01)
})

test('without documents there is nothing to say', () => {
  const { clock, window, write } = begin()
  write({ a: 1, c: 'x' })
  clock.atMs += 60_000
  window.drift()
  clock.atMs += 60_000
  expect(window.drift()).toEqual({ rows: 0, columns: [], stability: new Map([['score', null]]) })
})

test('what was written before anybody asked counts too', () => {
  const { window, write } = begin({ a: 1, c: 'x' })
  write({ a: 3, c: 'x' })
  expect(window.drift().columns[0]!.mean).toBe(2)
})
