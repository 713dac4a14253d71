import { handClock } from '@freshet/stage/clock.kit.ts'
import { expect, test } from 'vitest'
import type { Ending } from '../routes/alert-route.ts'
import { AlertBook } from './alert-book.ts'
import { bad, LOOK_MS, START_MS, timing } from './story.kit.ts'
import { tellNext } from './tell-loop.ts'

/** A book with one message, and the order in which it is written down and delivered. */
function open({ mayTell = true, onPost = () => {}, ending = 'told' as Ending } = {}) {
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
        return ending
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

test('a delivery that ended without a post leaves no doubt behind, nor takes away what was there', async () => {
  const { options, steps } = open({ ending: 'untold' })
  expect(await tellNext(options, new AbortController().signal)).toBe(false)
  expect(steps).toEqual(['begun', 'delivered', 'untold'])
  options.book.begun(options.book.nextUntold()!, START_MS)
  await tellNext(options, new AbortController().signal)
  expect(steps.slice(3)).toEqual(['begun', 'delivered', 'begun'])
})

test('a delivery that was broken off in the middle of a post leaves the doubt that it came', async () => {
  const { options, steps } = open({ ending: 'in doubt' })
  expect(await tellNext(options, new AbortController().signal)).toBe(false)
  expect(steps).toEqual(['begun', 'delivered'])
  expect(options.book.nextUntold()).toMatchObject({ begunAtMs: START_MS })
})

test('whose turn it is not does not begin', async () => {
  const { options, steps } = open({ mayTell: false })
  expect(await tellNext(options, new AbortController().signal)).toBe(false)
  expect(steps).toEqual([])
})
