import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Judgement } from '../rules/judge.ts'
import { bad, blind, good } from './story.kit.ts'
import { type Mishap, Watchdogs } from './watchdogs.kit.ts'

/** Two troubles come and go, one while the other lasts. @param looks of each time: enough for every successor to see it */
async function live(mishaps: readonly Mishap[], looks = 9): Promise<Watchdogs> {
  const watchdogs = new Watchdogs(mishaps)
  for (const judgement of [good, bad('a'), bad('a', 'b'), bad('b'), good, good])
    for (let look = 0; look < looks; look++) await watchdogs.look(judgement)
  return watchdogs
}

/** What people were told of a trouble, without what says that it may be a repetition. */
function storyOf(id: string, { delivered }: Watchdogs) {
  const own = delivered.filter(({ message }) => message.alerts.some(({ finding }) => finding.id === id))
  return {
    once: own.filter(({ message }) => message.begunAtMs === null).map(({ message }) => message.change),
    unique: [...new Map(own.map(({ message }) => [message.id, message.change])).values()],
  }
}

/** What holds whatever befell the speakers. */
function expectNothingLostOrRepeated(watchdogs: Watchdogs): void {
  for (const id of ['a', 'b']) {
    const { once, unique } = storyOf(id, watchdogs)
    expect(unique).toEqual(['firing', 'resolved'])
    expect(once.length).toBeLessThanOrEqual(2)
  }
  expect(watchdogs.delivered.every(({ wasItsTurn }) => wasItsTurn)).toBe(true)
  expect(watchdogs.lastState().untold).toEqual([])
  expect(watchdogs.lastState().alerts.filter(({ phase }) => phase !== 'resolved')).toEqual([])
}

test('of two watchdogs one speaks, and tells each thing once', async () => {
  const watchdogs = await live([])
  expectNothingLostOrRepeated(watchdogs)
  expect(watchdogs.delivered).toHaveLength(4)
  expect(new Set(watchdogs.delivered.map(({ by }) => by))).toEqual(new Set(['watchdog-1']))
})

describe('whatever step of the speaker is its last', () => {
  test.each(['kill', 'sleep'] as const)(
    '%s: nothing is lost; what may be a repetition says so',
    async (how) => {
      const { steps } = await live([{ atStep: Number.POSITIVE_INFINITY, how }])
      expect(steps).toBeGreaterThan(20)
      let repeated = 0
      for (let atStep = 0; atStep <= steps; atStep++) {
        const watchdogs = await live([{ atStep, how }])
        expectNothingLostOrRepeated(watchdogs)
        repeated += watchdogs.delivered.length - 4
      }
      // Only who dies or sleeps between the delivery of one of the four messages and its note makes people read it twice.
      expect(repeated).toBe(4 * STEPS_WITHOUT_A_NOTE)
    },
  )
})

/** Right after the delivery, and right before what is noted of it is written. */
const STEPS_WITHOUT_A_NOTE = 2

/*
 * Proved for up to four deaths and long sleeps at any steps: each message reaches people at least once; without the remark
 * that it may be a repetition at most once; from nobody whose turn it is not. What is written down at the end is the truth.
 */
test('nothing is lost or repeated, however many watchdogs die or sleep', async () => {
  const mishap = fc.record({
    atStep: fc.integer({ min: 0, max: 300 }),
    how: fc.constantFrom('kill', 'sleep'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(mishap, { maxLength: 4 }), async (mishaps) => {
      expectNothingLostOrRepeated(await live(mishaps, 20))
    }),
    { numRuns: 60 },
  )
})

describe('who slept, and speaks again without having listened, goes on with what was told meanwhile', () => {
  async function toldOf(before: Judgement, meanwhile: Judgement, after: Judgement) {
    const watchdogs = new Watchdogs()
    for (let look = 0; look < 9; look++) await watchdogs.look(before)
    await watchdogs.sleepThrough(9, meanwhile)
    for (const judgement of [after, good])
      for (let look = 0; look < 9; look++) await watchdogs.look(judgement)
    return watchdogs.delivered.map(
      ({ message, by }) => `${by}: ${message.change} ${message.alerts.map(({ finding }) => finding.id)}`,
    )
  }

  test('what ended meanwhile, and comes back, is told again', async () => {
    expect(await toldOf(bad('a'), good, bad('a'))).toEqual([
      'watchdog-1: firing a',
      'watchdog-2: resolved a',
      'watchdog-1: firing a',
      'watchdog-1: resolved a',
    ])
  })

  test('what ended meanwhile is not told to be over once more', async () => {
    const told = ['watchdog-1: firing a', 'watchdog-2: resolved a']
    expect(await toldOf(bad('a'), good, good)).toEqual(told)
  })

  test('what began meanwhile is not told again, only that it is over', async () => {
    const told = ['watchdog-2: firing a', 'watchdog-1: resolved a']
    expect(await toldOf(good, bad('a'), bad('a'))).toEqual(told)
  })
})

describe('when Kafka is away nobody can be elected', () => {
  async function lookOften(watchdogs: Watchdogs, looks: number, judgement = blind): Promise<void> {
    for (let look = 0; look < looks; look++) await watchdogs.look(judgement)
  }

  test('whoever spoke last says so, and that it is back', async () => {
    const watchdogs = new Watchdogs()
    await lookOften(watchdogs, 5, bad('a'))
    watchdogs.setKafka(false)
    await lookOften(watchdogs, 20)
    watchdogs.setKafka(true)
    await lookOften(watchdogs, 20, bad('a'))
    await lookOften(watchdogs, 20, good)
    const told = watchdogs.delivered.map(
      ({ message, by }) => `${by}: ${message.change} ${message.alerts[0]!.finding.id}`,
    )
    expect(told).toEqual([
      'watchdog-1: firing a',
      'watchdog-1: firing kafka',
      'watchdog-1: resolved kafka',
      'watchdog-1: resolved a',
    ])
  })

  test.each([
    ['wrote it down before another one speaks', 1, 'watchdog-2'],
    ['had queued that it is over, and wrote that down', 8, 'watchdog-2'],
    ['could not write it down before another one speaks', 0, 'watchdog-1'],
  ])('whoever said so, and %s: that it is back is told once', async (_, looksAsSpeaker, teller) => {
    const watchdogs = new Watchdogs()
    await lookOften(watchdogs, 5, good)
    watchdogs.setKafka(false)
    await lookOften(watchdogs, 20)
    watchdogs.setKafka(true)
    watchdogs.isSlackUp = false
    await lookOften(watchdogs, looksAsSpeaker, good)
    watchdogs.handOver()
    watchdogs.isSlackUp = true
    await lookOften(watchdogs, 20, good)
    const told = watchdogs.delivered.map(({ message, by }) => `${by}: ${message.change}`)
    expect(told).toEqual(['watchdog-1: firing', `${teller}: resolved`])
  })

  test('who starts meanwhile says so, because it knows of no other', async () => {
    const watchdogs = new Watchdogs([], 1)
    watchdogs.setKafka(false)
    await lookOften(watchdogs, 20)
    watchdogs.setKafka(true)
    await lookOften(watchdogs, 20, good)
    expect(watchdogs.delivered.map(({ message }) => message.change)).toEqual(['firing', 'resolved'])
  })
})
