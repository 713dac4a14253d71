import { expect, test } from 'vitest'
import { Lane } from './lane.ts'

const never = new AbortController().signal

/** `first`: ends what has the lane first. */
const opened = () => ({ lane: new Lane(10), said: [] as string[], first: Promise.withResolvers<void>() })

test('work is done one after the other, in the order of the calls, also after a failure', async () => {
  const { lane, said, first } = opened()
  const a = lane.run(async () => {
    await first.promise
    said.push('a')
    throw new Error('a failed')
  }, never)
  const b = lane.run(async () => void said.push('b'), never)
  expect(said).toEqual([])
  first.resolve()
  await expect(a).rejects.toThrow('a failed')
  await b
  expect(said).toEqual(['a', 'b'])
})

test('one who gives up while waiting leaves at once, and lets nobody overtake', async () => {
  const { lane, said, first } = opened()
  const a = lane.run(async () => {
    await first.promise
    said.push('a')
  }, never)
  const impatient = new AbortController()
  const b = lane.run(async () => void said.push('b'), impatient.signal)
  const c = lane.run(async () => void said.push('c'), never)
  impatient.abort(new Error('no more'))
  await expect(b).rejects.toThrow('no more')
  first.resolve()
  await Promise.all([a, c])
  expect(said).toEqual(['a', 'c'])
})

test('more callers than may wait are refused', async () => {
  const lane = new Lane(1)
  const first = Promise.withResolvers<void>()
  const a = lane.run(() => first.promise, never)
  await expect(lane.run(async () => {}, never)).rejects.toMatchObject({ code: 'QUEUE_FULL' })
  first.resolve()
  await a
})
