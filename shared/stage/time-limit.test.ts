import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { steppedClock } from './clock.kit.ts'
import { timeLimit } from './time-limit.ts'

test('work is given up when its time is over, or before with the signal of its caller', async () => {
  const clock = steppedClock()
  const caller = new AbortController()
  using late = timeLimit(100, { clock, signal: caller.signal })
  using stopped = timeLimit(200, { clock, signal: caller.signal })
  clock.step()
  await turn()
  expect([late.signal.aborted, stopped.signal.aborted]).toEqual([true, false])
  expect(late.signal.reason).toMatchObject({ name: 'TimeoutError' })
  caller.abort()
  expect(stopped.signal.aborted).toBe(true)
})

test('work that ended in time is not given up later', async () => {
  const clock = steppedClock()
  const limit = timeLimit(100, { clock, signal: new AbortController().signal })
  limit[Symbol.dispose]()
  await turn()
  expect(() => clock.step()).toThrow() // nobody sleeps
  expect(limit.signal.aborted).toBe(false)
})
