import type { JudgedIndex } from '@freshet/adapters/elasticsearch/judge-indices.ts'
import type { ShardsView } from '@freshet/adapters/elasticsearch/shards.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { expect, test } from 'vitest'
import { IndexJudge } from './index-judge.ts'

const viewOf = (...uuids: readonly string[]) => ({ indexUuids: new Set(uuids) }) as unknown as ShardsView
const judged = (uuid: string | null, verdict: JudgedIndex['verdict']): JudgedIndex => ({
  name: uuid ?? 'hidden',
  verdict,
  reason: verdict === 'refused' ? `${uuid} keeps no source` : null,
  notes: [],
  description: uuid === null ? null : ({ uuid } as JudgedIndex['description']),
})

function open() {
  const clock = handClock()
  let asked = 0
  const there: JudgedIndex[] = []
  const judge = new IndexJudge(async () => {
    asked++
    return there
  }, clock)
  return { clock, judge, there, asked: () => asked }
}

test('an index is not captured before it is judged, and judged once', async () => {
  const { judge, there, asked } = open()
  there.push(judged('a', 'capturable'))
  expect(judge.isCapturable('a')).toBe(false)
  await judge.look(viewOf('a'))
  await judge.look(viewOf('a'))
  expect(judge.isCapturable('a')).toBe(true)
  expect(asked()).toBe(1)
})

test('one that is refused says why for as long as it is there, and the others are captured', async () => {
  const { judge, there } = open()
  there.push(judged('bad', 'refused'), judged('good', 'capturable'))
  await judge.look(viewOf('bad', 'good'))
  expect(judge.isCapturable('bad')).toBe(false)
  expect(judge.isCapturable('good')).toBe(true)
  expect(judge.refusals()).toEqual(['bad keeps no source'])
  await judge.look(viewOf('good'))
  expect(judge.refusals()).toEqual([])
})

test('a closed or blocked one may be captured: what it waits for is told elsewhere', async () => {
  const { judge, there } = open()
  there.push(judged('closed', 'closed'), judged('blocked', 'blocked'))
  await judge.look(viewOf('closed', 'blocked'))
  expect(judge.isCapturable('closed') && judge.isCapturable('blocked')).toBe(true)
})

test('one that hides behind a block is judged again after a while', async () => {
  const { clock, judge, there, asked } = open()
  there.push(judged(null, 'blocked'))
  await judge.look(viewOf('a'))
  await judge.look(viewOf('a'))
  expect(asked()).toBe(1)
  there.splice(0, 1, judged('a', 'capturable'))
  clock.atMs += 10_000
  await judge.look(viewOf('a'))
  expect(judge.isCapturable('a')).toBe(true)
})
