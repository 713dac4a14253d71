import { once } from 'node:events'
import { expect, test } from 'vitest'
import { type Loop, together } from './together.ts'

/** Takes a turn of its own to end. */
function loop(ended: string[], name: string): Loop {
  return async (signal) => {
    if (!signal.aborted) await once(signal, 'abort')
    await new Promise(setImmediate)
    ended.push(name)
  }
}

test('where one loop fails, the others are told to end, and have ended before that is told', async () => {
  const ended: string[] = []
  const failing = () => Promise.reject(new Error('away'))
  const running = together([loop(ended, 'a'), failing, loop(ended, 'b')], new AbortController().signal)
  await expect(running).rejects.toThrow('away')
  expect(ended).toEqual(['a', 'b'])
})

test('one that has nothing more to do ends none of the others', async () => {
  const ended: string[] = []
  const stop = new AbortController()
  const running = together([async () => {}, loop(ended, 'a')], stop.signal)
  await new Promise(setImmediate)
  expect(ended).toEqual([])
  stop.abort()
  await running
  expect(ended).toEqual(['a'])
})
