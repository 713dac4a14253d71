import type { Alert, AlertMessage, Finding } from '@freshet/records/alert-state.ts'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evaluate, type Judgement } from './alerts.ts'

const finding = (id: string): Finding => ({ id, kind: 'lag', title: `${id} is behind`, details: {} })
const bad = (...ids: string[]): Judgement => ({ findings: ids.map(finding), blind: false })
const good = bad()
const blind: Judgement = { findings: [], blind: true }

/** One evaluation a second. @returns what people were told, as `change id @second` */
function run(judgements: readonly Judgement[], repeatMs = 1_000_000): string[] {
  return tell(judgements, repeatMs).map(
    ({ change, finding, atMs }) => `${change} ${finding.id} @${atMs / 1000}`,
  )
}

function tell(judgements: readonly Judgement[], repeatMs: number): AlertMessage[] {
  let alerts: readonly Alert[] = []
  const told: AlertMessage[] = []
  judgements.forEach((judgement, second) => {
    const next = evaluate(alerts, judgement, { nowMs: second * 1000, repeatMs })
    alerts = next.alerts
    told.push(...next.messages)
  })
  return told
}

describe('what people are told', () => {
  test('nothing of what is bad only once', () => {
    expect(run([bad('a'), good, bad('a'), good])).toEqual([])
  })

  test('once that it fires, once that it is over', () => {
    expect(run([bad('a'), bad('a'), bad('a'), good, good, good, good])).toEqual([
      'firing a @1',
      'resolved a @5',
    ])
  })

  test('nothing of a short relief', () => {
    expect(run([bad('a'), bad('a'), good, good, bad('a'), good, good, bad('a')])).toEqual(['firing a @1'])
  })

  test('again while it lasts, as often as they asked', () => {
    const judgements = Array.from({ length: 8 }, () => bad('a'))
    expect(run(judgements, 3_000)).toEqual(['firing a @1', 'reminder a @4', 'reminder a @7'])
  })

  test('no end that nobody has seen', () => {
    expect(run([bad('a'), bad('a'), blind, blind, blind, blind, good, good, good])).toEqual([
      'firing a @1',
      'resolved a @8',
    ])
  })

  test('of each trouble on its own', () => {
    expect(run([bad('a'), bad('a', 'b'), bad('b'), bad('b')])).toEqual(['firing a @1', 'firing b @2'])
  })
})

/*
 * Proved for every sequence of looks, blind ones included: of one trouble the messages read (firing reminder* resolved)*,
 * so there is never a second firing without a resolve between; reminders keep their distance; firing stands on two bad
 * looks in a row of those that saw, and a resolve on three good ones. Real: the whole state machine. Modelled: time.
 */
test('people are never told twice, whatever flickers', () => {
  const look = fc.record({
    findings: fc.subarray(['a', 'b', 'c']).map((ids) => ids.map(finding)),
    blind: fc.boolean(),
  })
  const seconds = fc.integer({ min: 1, max: 20 })
  fc.assert(
    fc.property(fc.array(look, { maxLength: 80 }), seconds, (looks, repeatSeconds) => {
      const told = tell(looks, repeatSeconds * 1000)
      for (const id of ['a', 'b', 'c']) {
        const story = told.filter((message) => message.finding.id === id)
        expect(story.map(({ change }) => change).join(' ')).toMatch(STORY)
        story.forEach((message, at) => {
          const seen = seenUntil(looks, message)
          if (message.change === 'firing') expect(seen.slice(-2)).toEqual(['bad', 'bad'])
          if (message.change === 'resolved') expect(seen.slice(-3)).toEqual(['good', 'good', 'good'])
          if (message.change === 'reminder')
            expect(message.atMs - story[at - 1]!.atMs).toBeGreaterThanOrEqual(repeatSeconds * 1000)
        })
      }
    }),
  )
})

const STORY = /^(firing (reminder )*resolved ?)*(firing( reminder)*)?$/

/** What the looks up to the message said of its trouble; those that did not see it say nothing. */
function seenUntil(looks: readonly Judgement[], { finding, atMs }: AlertMessage): ('bad' | 'good')[] {
  return looks.slice(0, atMs / 1000 + 1).flatMap(({ findings, blind }) => {
    if (findings.some(({ id }) => id === finding.id)) return 'bad'
    return blind ? [] : 'good'
  })
}
