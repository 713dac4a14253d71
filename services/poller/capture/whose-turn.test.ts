import fc from 'fast-check'
import { expect, test } from 'vitest'
import { whoseTurn } from './whose-turn.ts'

const short = (lastTurn: number) => ({ lastTurn, isLong: false })
const long = (lastTurn: number) => ({ lastTurn, isLong: true })

test('who has waited longest is next', () => {
  expect(whoseTurn([short(5), short(1), short(3)], [short(9), short(9)])).toEqual([short(1), short(3)])
})

test('a shard that is up to date need not wait for backlogs, however many and large', () => {
  const backlogs = Array.from({ length: 50 }, (_, turn) => long(turn))
  const begun = whoseTurn([...backlogs, short(99)], [])
  expect(begun).toContainEqual(short(99))
  expect(
    whoseTurn(
      backlogs,
      begun.filter(({ isLong }) => isLong),
    ),
  ).toEqual([])
  expect(whoseTurn([short(99)], backlogs.slice(0, 3))).toEqual([short(99)])
})

test('never more at once than there are places, and every shard has its turn in the end', () => {
  const shard = fc.record({ isLong: fc.boolean() })
  fc.assert(
    fc.property(fc.array(shard, { minLength: 1, maxLength: 30 }), (drawn) => {
      let shards = drawn.map(({ isLong }, name) => ({ name, isLong, lastTurn: 0 }))
      const served = new Set<number>()
      for (let turn = 1; turn <= drawn.length; turn++) {
        const begun = new Set(whoseTurn(shards, []).map(({ name }) => name))
        expect(begun.size).toBeLessThanOrEqual(4)
        for (const name of begun) served.add(name)
        shards = shards.map((each) => (begun.has(each.name) ? { ...each, lastTurn: turn } : each))
      }
      expect(served.size).toBe(drawn.length)
    }),
  )
})
