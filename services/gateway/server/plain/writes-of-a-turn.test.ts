import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WritesOfATurn } from './writes-of-a-turn.ts'

/**
 * How many of all that was answered before had gone out, as each answer is made in one turn; and after it.
 * @param everyMs what each answer takes, of a clock that does nothing else.
 */
async function answersOf(answers: number, everyMs = 0) {
  let nowMs = 1_000
  const now = vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
  onTestFinished(() => now.mockRestore())
  const writes = new WritesOfATurn()
  const written: string[] = []
  const socket = { write: (text: unknown) => written.push(String(text)) > 0 }
  const outBefore: number[] = []
  for (let at = 0; at < answers; at++) {
    outBefore.push(written.length)
    writes.add(socket, { text: `${at}`, encoding: 'latin1' })
    nowMs += everyMs
  }
  await nextTurn()
  expect(written).toEqual(Array.from({ length: answers }, (_, at) => `${at}`))
  return outBefore
}

test('answers go out when the turn that made them is over', async () => {
  expect(await answersOf(5)).toEqual([0, 0, 0, 0, 0])
})

test('answers that take long to make wait for the next one at most', async () => {
  expect(await answersOf(5, 0.6)).toEqual([0, 0, 0, 3, 3])
  expect(await answersOf(4, 2)).toEqual([0, 0, 2, 2])
})

test('of many in one turn, none waits for more than 31 others', async () => {
  expect(await answersOf(60)).toEqual(Array.from({ length: 60 }, (_, at) => (at < 32 ? 0 : 32)))
})

test('what is held can be let out at once', () => {
  const writes = new WritesOfATurn()
  const written: unknown[] = []
  writes.add({ write: (text: unknown) => written.push(text) > 0 }, { text: 'a', encoding: 'utf8' })
  writes.flush()
  expect(written).toEqual(['a'])
})
