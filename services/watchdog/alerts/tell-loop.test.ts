import { handClock } from '@freshet/stage/clock.kit.ts'
import { expect, test } from 'vitest'
import { AlertBook } from './alert-book.ts'
import { bad, LOOK_MS, START_MS, timing } from './story.kit.ts'
import { tellNext } from './tell-loop.ts'

/** A book with one message, and the order in which it is written down and delivered. */
function open({ mayTell = true, onPost = () => {} } = {}) {
  const book = new AlertBook(() => {})
  for (let look = 0; look < 3; look++)
    book.judge(bad('a'), timing, { nowMs: START_MS + look * LOOK_MS, repeatMs: 1e9, silencedBy: () => null })
  const steps: string[] = []
  const options = {
    book,
    mayTell: () => mayTell,
    route: {
      deliver: async (_: unknown, signal: AbortSignal) => {
        onPost()
        steps.push(signal.aborted ? 'given up' : 'delivered')
        return !signal.aborted
      },
    },
    remember: async (signal: AbortSignal) => {
      const { untold } = book.state()
      const what = untold.map(({ begunAtMs }) => (begunAtMs === null ? 'untold' : 'begun')).join()
      steps.push(`${what || 'told'}${signal.aborted ? ' in vain' : ''}`)
    },
    clock: handClock(START_MS),
  }
  return { options, steps }
}

test('a delivery is written down before it begins, and after it', async () => {
  const { options, steps } = open()
  expect(await tellNext(options, new AbortController().signal)).toBe(true)
  expect(steps).toEqual(['begun', 'delivered', 'told'])
})

test('a stop in the middle of a delivery lets it end, and be noted', async () => {
  const stop = new AbortController()
  const { options, steps } = open({ onPost: () => stop.abort() })
  await tellNext(options, stop.signal)
  expect(steps).toEqual(['begun', 'delivered', 'told'])
})

test('whose turn it is not does not begin', async () => {
  const { options, steps } = open({ mayTell: false })
  expect(await tellNext(options, new AbortController().signal)).toBe(false)
  expect(steps).toEqual([])
})
