import { handClock } from '@freshet/stage/clock.kit.ts'
import { expect, test } from 'vitest'
import { Pace } from './pace.ts'

const { signal } = new AbortController()

async function work(share: number, piecesMs: readonly number[]): Promise<readonly number[]> {
  const clock = handClock(1_000)
  const pace = new Pace(clock, share)
  for (const pieceMs of piecesMs) {
    clock.atMs += pieceMs
    await pace.rest(signal)
  }
  return clock.sleeps
}

test('half of the time is left to others, in rests that are worth a timer', async () => {
  expect(await work(0.5, [8, 8, 8, 8, 8, 50])).toEqual([24, 66])
})

test('an answer that took minutes does not cost minutes more', async () => {
  expect(await work(0.5, [300_000, 10, 10])).toEqual([5_000, 20])
})

test('whoever may work all the time does', async () => {
  expect(await work(1, [100, 100])).toEqual([])
})
