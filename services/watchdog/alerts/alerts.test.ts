import type { Alert, AlertMessage, Finding } from '@freshet/records/alert-state.ts'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Judgement } from '../rules/judge.ts'
import { MAX_ALERTS, step } from './alerts.ts'
import {
  bad,
  blind,
  finding,
  found,
  good,
  LOOK_MS,
  MINUTE_MS,
  START_MS,
  story,
  tell,
  times,
  timing,
} from './story.kit.ts'
import { MAX_NAMED } from './telling.ts'

describe('what people are told', () => {
  test('nothing of what does not last', () => {
    expect(story([bad('a'), bad('a'), good, bad('a'), bad('a'), good])).toEqual([])
  })

  test('at once of what is bad at once', () => {
    expect(story([found(finding('a', { forSeconds: 0 }))])).toEqual(['firing a @0'])
  })

  test('once that it fires, once that it is over', () => {
    expect(story([...times(5, bad('a')), ...times(6, good)])).toEqual(['firing a @10', 'resolved a @40'])
  })

  test('nothing of a short relief', () => {
    expect(story([...times(4, bad('a')), good, good, good, ...times(4, bad('a'))])).toEqual(['firing a @10'])
  })

  test('again while it lasts, as often as they asked; what would be due soon comes along', () => {
    const looks = [...times(6, bad('a')), ...times(35, bad('a', 'b'))]
    expect(story(looks, { repeatMs: MINUTE_MS })).toEqual([
      'firing a @10',
      'firing b @40',
      'reminder a,b @70',
      'reminder a,b @130',
      'reminder a,b @190',
    ])
  })

  test('of all that opens in one look in one message, the gravest first', () => {
    const [mild, grave] = [finding('mild', { severity: 'warning' }), finding('grave')]
    expect(story(times(3, found(mild, grave)))).toEqual(['firing grave,mild @10'])
  })

  test('the names of some of very many, and how many more there are', () => {
    const ids = Array.from({ length: 130 }, (_, at) => `a${at}`)
    const [message, ...others] = tell(times(3, bad(...ids)))
    expect(others).toEqual([])
    expect([message!.alerts.length, message!.more]).toEqual([MAX_NAMED, 130 - MAX_NAMED])
  })

  test('the last figures, for a picture of how it went', () => {
    const looks = [50, 60, 70, 80].map((value) =>
      found(finding('a', { measure: { value, unit: 's', threshold: 30 } })),
    )
    expect(tell(looks)[0]!.alerts[0]!.measures).toEqual([50, 60, 70])
  })
})

test('what is over is told by the title that people know it by', () => {
  const titled = (title: string) => found(finding('a', { title }))
  const looks = [...times(4, titled('Redis does not answer')), ...times(4, titled('a cannot reach Redis'))]
  const messages = tell([...looks, ...times(5, good)])
  expect(messages.map(({ change, alerts }) => [change, alerts[0]!.finding.title])).toEqual([
    ['firing', 'Redis does not answer'],
    ['resolved', 'Redis does not answer'],
  ])
})

describe('what cannot be seen', () => {
  test('has no end either where only that is not known yet', () => {
    const unknown = { ...good, notKnown: new Set(['a']) }
    const looks = [...times(4, bad('a', 'b')), ...times(20, unknown), ...times(5, good)]
    expect(story(looks)).toEqual(['firing a,b @10', 'resolved b @35', 'resolved a @135'])
  })

  test('has no end, and time that nobody saw counts for nothing', () => {
    expect(story([...times(3, bad('a')), good, good, ...times(100, blind), good, good, good])).toEqual([
      'firing a @10',
      'firing kafka @35',
      'resolved a @530', // 15 s of what was seen
    ])
  })

  test('does not fire for what was bad before and after', () => {
    const looks = [bad('a'), ...times(2, blind), bad('a'), good, ...times(9, good)]
    expect(story(looks)).toEqual([])
  })

  test('holds back what follows from it, until it is long over', () => {
    const aftermath = [...times(12, bad('lag')), ...times(5, good)]
    expect(story([...times(30, blind), ...aftermath])).toEqual(['firing kafka @10', 'resolved kafka @165'])
    expect(story([...times(30, blind), ...times(60, bad('lag'))])).toEqual([
      'firing kafka @10',
      'resolved kafka @165',
      'firing lag @225',
    ])
  })

  test('is not what happened while nobody looked: a watchdog that was away does not count it', () => {
    const looks = (gapMs: number, judgements: readonly Judgement[]) =>
      judgements.reduce(
        ({ alerts, atMs }, judgement) => ({
          alerts: step(alerts, judgement, { nowMs: atMs + gapMs, lastMs: atMs }, timing),
          atMs: atMs + gapMs,
        }),
        { alerts: [] as readonly Alert[], atMs: START_MS },
      ).alerts
    const [slow] = looks(10 * MINUTE_MS, times(2, found(finding('a', { forSeconds: 60 }))))
    expect(slow!.phase).toBe('pending')
    const [seen] = looks(10_000, times(8, found(finding('a', { forSeconds: 60 }))))
    expect(seen!.phase).toBe('firing')
  })
})

describe('what follows from something else', () => {
  const cause = finding('silent/scorer-1', { kind: 'silent' })
  const effect = finding('lag/air-infer', { causedBy: cause.id })

  test('goes with its cause in one message', () => {
    expect(story(times(4, found(effect, cause)))).toEqual(['firing lag/air-infer,silent/scorer-1 @10'])
  })

  test('is not told after its cause, unless it outlives it', () => {
    const looks = [...times(4, found(cause)), ...times(10, found(cause, effect)), ...times(20, found(effect))]
    expect(story(looks)).toEqual([
      'firing silent/scorer-1 @10',
      'resolved silent/scorer-1 @85',
      'firing lag/air-infer @145',
    ])
  })

  test('waits for a cause that may fire yet, and not for one that is none', () => {
    const slow = { ...cause, forSeconds: 30 }
    expect(story([...times(7, found(effect, slow))])).toEqual(['firing lag/air-infer,silent/scorer-1 @30'])
    expect(story([...times(4, found(effect, slow)), found(effect)])).toEqual(['firing lag/air-infer @20'])
  })

  test('is told where two name each other, or themselves', () => {
    const [a, b] = [finding('a', { causedBy: 'b' }), finding('b', { causedBy: 'a' })]
    expect(story(times(3, found(a, b)))).toEqual(['firing a,b @10'])
    expect(story(times(3, found(finding('a', { causedBy: 'a' }))))).toEqual(['firing a @10'])
  })
})

describe('what comes and goes', () => {
  const burst = [...times(3, bad('a')), ...times(4, good)]
  const calm = times((10 * MINUTE_MS) / LOOK_MS + 2, good)

  test('is one message, then nothing until it is calm', () => {
    expect(story([...Array.from({ length: 12 }, () => burst).flat(), ...calm])).toEqual([
      'firing a @10',
      'resolved a @30',
      'firing a @45',
      'resolved a @65',
      'flapping a @80',
      'resolved a @1015',
    ])
  })

  test('is told when it stays', () => {
    const stays = times((10 * MINUTE_MS) / LOOK_MS + 10, bad('a'))
    expect(story([...burst, ...burst, ...burst, ...stays]).slice(4)).toEqual([
      'flapping a @80',
      'firing a @715',
    ])
  })

  test('is nothing of the kind when it came long ago', () => {
    const long = times((30 * MINUTE_MS) / LOOK_MS, good)
    const told = story([...burst, ...long, ...burst, ...long, ...burst])
    expect(told.filter((line) => line.startsWith('flapping'))).toEqual([])
    expect(told.filter((line) => line.startsWith('firing'))).toHaveLength(3)
  })
})

describe('what is silenced', () => {
  const untilMs = START_MS + 60_000
  const silencedBy = ({ id }: Finding, nowMs: number) =>
    id === 'a' && nowMs < untilMs ? 'silence 3f2a' : null

  test('is not told while it is, and is told when the silence ends before it does', () => {
    expect(story(times(20, bad('a', 'b')), { silencedBy })).toEqual(['firing b @10', 'firing a @60'])
    expect(story([...times(4, bad('a')), ...times(20, good)], { silencedBy })).toEqual([])
  })

  test('is told to be over where people had heard of it', () => {
    const late = (one: Finding, nowMs: number) => (nowMs > START_MS + 20_000 ? silencedBy(one, nowMs) : null)
    expect(story([...times(5, bad('a')), ...times(6, good)], { silencedBy: late })).toEqual([
      'firing a @10',
      'resolved a @40',
    ])
  })
})

test('a state of very many alerts keeps those that people were told of, and the gravest', () => {
  const told = step(
    [],
    bad(...Array.from({ length: 10 }, (_, at) => `told${at}`)),
    { nowMs: 1, lastMs: 0 },
    timing,
  ).map((alert): Alert => ({ ...alert, toldAtMs: 1 }))
  const many = Array.from({ length: 400 }, (_, at) =>
    finding(`b${at}`, { severity: at < 50 ? 'critical' : 'warning' }),
  )
  const kept = step(told, found(...many), { nowMs: 5_001, lastMs: 1 }, timing)
  expect(kept).toHaveLength(MAX_ALERTS)
  const ids = new Set(kept.map((alert) => alert.finding.id))
  expect([...told.map((alert) => alert.finding.id), 'b0', 'b49'].every((id) => ids.has(id))).toBe(true)
})

/*
 * Proved for every sequence of looks, blind ones and silences included: of one trouble the messages read as STORY says, so
 * there is never a second firing without an end between; reminders keep half their distance at least; firing stands on
 * forSeconds of bad looks without a good one (it may be told later, when a silence ends, but not of what is good by then), and an end on resolveMs without a bad one; whoever opens often is told so at
 * most once until it is calm. And nothing is lost: what fires to the end, unsilenced and without a cause, was told.
 * Real: the whole state machine. Modelled: time.
 */
test('people are told each thing once, whatever flickers', () => {
  const ids = ['a', 'b', 'c']
  const look = fc.record({
    ids: fc.subarray(ids),
    isBlind: fc.boolean(),
    silenced: fc.subarray(['a', 'b']),
    times: fc.integer({ min: 1, max: 40 }),
  })
  const repeatMs = 3 * MINUTE_MS
  fc.assert(
    fc.property(fc.array(look, { maxLength: 40 }), (runs) => {
      const looks = runs.flatMap((run) => Array.from({ length: run.times }, () => run))
      const judgements = looks.map((run) => ({
        ...bad(...run.ids),
        blind: run.isBlind,
      }))
      const silencedBy = ({ id }: Finding, nowMs: number) =>
        looks[(nowMs - START_MS) / LOOK_MS]!.silenced.includes(id) ? 'silence' : null
      const told = tell(judgements, { repeatMs, silencedBy })
      for (const id of ids) {
        const own = told.filter(({ alerts }) => alerts.some((alert) => alert.finding.id === id))
        expect(own.map(({ change }) => change).join(' ')).toMatch(STORY)
        own.forEach((message, at) => {
          const seen = seenUntil(judgements, id, message)
          if (message.change === 'firing') expect(seen.at(-1)).toBe('bad')
          if (message.change === 'firing' && id === 'c') expect(seen.slice(-3)).toEqual(['bad', 'bad', 'bad']) // never silenced
          if (message.change === 'resolved') expect(seen.slice(-4)).toEqual(['good', 'good', 'good', 'good'])
          if (message.change === 'reminder')
            expect(message.atMs - own[at - 1]!.atMs).toBeGreaterThanOrEqual(repeatMs / 2)
        })
        const last = seenUntil(judgements, id, { atMs: START_MS + looks.length * LOOK_MS }).slice(-3)
        const isBad = last.length === 3 && last.every((word) => word === 'bad')
        if (isBad && !looks.at(-1)!.silenced.includes(id)) expect(own.at(-1)?.change).not.toBe('resolved')
        if (isBad && !looks.at(-1)!.silenced.includes(id)) expect(own).not.toEqual([])
      }
    }),
    { numRuns: 200 },
  )
})

/*
 * Proved whatever came before, with causes, blindness, silences and flapping: once only `c` is there for long, people believe
 * that `c` is there and nothing else is; once all is well for long, they believe that all is well. So no hold-back loses an
 * alert, or its end.
 */
test('in the end people believe what is so', () => {
  const causes = [undefined, 'a', 'b', 'c', 'elsewhere']
  const trouble = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'kafka'),
    causedBy: fc.constantFrom(...causes),
    forSeconds: fc.constantFrom(0, 10, 60),
  })
  const look = fc.record({
    found: fc.uniqueArray(trouble, { selector: ({ id }) => id }),
    isBlind: fc.boolean(),
    isSilenced: fc.boolean(),
    times: fc.integer({ min: 1, max: 30 }),
  })
  const findingOf = ({
    id,
    causedBy,
    forSeconds,
  }: {
    id: string
    causedBy: string | undefined
    forSeconds: number
  }) =>
    finding(id, {
      forSeconds,
      ...(causedBy !== undefined && { causedBy }),
      ...(id === 'kafka' && { blinds: true }),
    })
  fc.assert(
    fc.property(fc.array(look, { maxLength: 30 }), fc.constantFrom(...causes), (runs, causedBy) => {
      const noise = runs.flatMap((run) => Array.from({ length: run.times }, () => run))
      const judgements = noise.map((run) => ({ ...found(...run.found.map(findingOf)), blind: run.isBlind }))
      const silencedBy = (_: Finding, nowMs: number) =>
        noise[(nowMs - START_MS) / LOOK_MS]?.isSilenced ? 'maintenance' : null
      const onlyC = found(findingOf({ id: 'c', causedBy, forSeconds: 10 }))
      const long = (15 * MINUTE_MS) / LOOK_MS
      const believed = (looks: readonly Judgement[]) => {
        const known = new Set<string>()
        for (const { change, alerts } of tell(looks, { silencedBy }))
          for (const alert of alerts)
            if (change === 'resolved') known.delete(alert.finding.id)
            else known.add(alert.finding.id)
        return [...known]
      }
      expect(believed([...judgements, ...times(long, onlyC)])).toEqual(['c'])
      expect(believed([...judgements, ...times(long, onlyC), ...times(long, good)])).toEqual([])
    }),
    { numRuns: 150 },
  )
})

const STORY =
  /^((firing|flapping) ((reminder|firing) )*resolved ?)*((firing|flapping)( (reminder|firing))*)?$/

/** What the looks up to then said of a trouble; those that did not see it say nothing. */
function seenUntil(
  looks: readonly Judgement[],
  id: string,
  { atMs }: Pick<AlertMessage, 'atMs'>,
): ('bad' | 'good')[] {
  return looks.slice(0, (atMs - START_MS) / LOOK_MS + 1).flatMap(({ findings, blind: isBlind }) => {
    if (findings.some((one) => one.id === id)) return 'bad'
    return isBlind ? [] : 'good'
  })
}
