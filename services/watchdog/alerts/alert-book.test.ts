import { Buffer } from 'node:buffer'
import { type Alert, type AlertMessage, alertStateRecord } from '@freshet/records/alert-state.ts'
import { expect, test } from 'vitest'
import { shortTexts } from '../rules/short-texts.ts'
import { AlertBook } from './alert-book.ts'
import { bad, finding, LOOK_MS, START_MS, timing } from './story.kit.ts'
import { MAX_NAMED } from './telling.ts'

function openBook(startMs = START_MS) {
  const givenUp: AlertMessage[] = []
  const book = new AlertBook((message) => givenUp.push(message))
  let nowMs = startMs
  const look = (...ids: string[]) =>
    book.judge(bad(...ids), timing, { nowMs: (nowMs += LOOK_MS), repeatMs: 1e9, silencedBy: () => null })
  const untold = () =>
    book.state().untold.map(({ change, alerts }) => `${change} ${alerts.map(({ finding }) => finding.id)}`)
  return { book, look, untold, givenUp }
}

test('a watchdog that starts again neither repeats what is known nor forgets what is untold', () => {
  const first = openBook()
  for (let looks = 0; looks < 3; looks++) first.look('told')
  first.book.told(first.book.nextUntold()!)
  for (let looks = 0; looks < 3; looks++) first.look('told', 'untold')
  const second = openBook()
  second.look('told', 'untold')
  second.book.restore(first.book.state())
  for (let looks = 0; looks < 5; looks++) second.look('told', 'untold')
  expect(second.untold()).toEqual(['firing untold'])
})

test('an alert that ended while no watchdog ran is resolved by the next one', () => {
  const first = openBook()
  for (let looks = 0; looks < 3; looks++) first.look('a')
  first.book.told(first.book.nextUntold()!)
  const second = openBook(START_MS + 3_600_000)
  second.book.restore(first.book.state())
  for (let looks = 0; looks < 4; looks++) second.look()
  expect(second.untold()).toEqual(['resolved a'])
})

test('what waits for people who are out of reach is told together', () => {
  const { book, look, untold } = openBook()
  for (let looks = 0; looks < 3; looks++) look('a')
  for (let looks = 0; looks < 3; looks++) look('a', 'b')
  expect(untold()).toEqual(['firing a,b'])
  book.begun(book.nextUntold()!, 1)
  for (let looks = 0; looks < 3; looks++) look('a', 'b', 'c')
  expect(untold()).toEqual(['firing a,b', 'firing c'])
})

test('when nobody can be told for long, the oldest messages are given up, and said so', () => {
  const { look, untold, givenUp } = openBook()
  for (let rounds = 0; rounds < 65; rounds++) {
    for (let looks = 0; looks < 3; looks++) look(`a${rounds}`)
    for (let looks = 0; looks < 4; looks++) look()
  }
  expect(untold()).toHaveLength(100)
  expect(givenUp).toHaveLength(30)
  expect(givenUp[0]!.alerts[0]!.finding.id).toBe('a0')
})

test.each(['x', '\u{1F30A}'])(
  'the most that can be remembered is one message of Kafka, and in it each message, of %s',
  (sign) => {
    const page = sign.repeat(50_000)
    const details = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`${at} ${page}`, page]))
    const texts = shortTexts({ title: page, details, advice: { effect: page, firstLook: page } })
    const measures = Array.from({ length: 24 }, (_, at) => at + 1 / 3)
    const severe = (id: string) =>
      finding(id, { ...texts, measure: { value: 1 / 3, unit: 's', threshold: 1 } })
    const alert = (_: unknown, at: number): Alert => ({
      ...{
        phase: 'firing',
        finding: severe(`lag/${at}`),
        sinceMs: START_MS,
        measures,
        openings: [],
        flapping: false,
      },
      ...{ toldAtMs: START_MS, heldBack: null, goodSinceMs: null },
    })
    const message = (_: unknown, at: number): AlertMessage => ({
      ...{ id: `${at}`, change: at % 2 === 0 ? 'firing' : 'resolved', atMs: at, more: 0, begunAtMs: null },
      alerts: Array.from({ length: MAX_NAMED }, (_each, named) => ({
        ...{ finding: severe(`lag/${named}`), sinceMs: START_MS, measures },
      })),
    })
    const { book, givenUp } = openBook()
    const alerts = Array.from({ length: 300 }, alert)
    const untold = Array.from({ length: 100 }, message)
    book.restore({ lookedAtMs: START_MS, alerts, untold })
    const state = book.state()
    const encoded = alertStateRecord.encode({ version: 2, term: 1, writer: 'watchdog-1', ...state })
    expect(Buffer.byteLength(encoded)).toBeLessThan(1_000_000)
    expect(alertStateRecord.decode(encoded).untold).toHaveLength(100)
    expect(givenUp).toEqual([])
    expect(state.alerts).toHaveLength(300)
    expect(state.untold.map(({ alerts: named, more }) => named.length + more)).toEqual(
      Array(100).fill(MAX_NAMED),
    )
    expect(state.untold[0]).toMatchObject({
      more: MAX_NAMED - 1,
      alerts: [{ finding: { title: texts.title } }],
    })
    if (sign === 'x') expect(state.untold.at(-1)).toEqual(untold.at(-1))
    expect(state.alerts.at(-1)).toEqual(alerts.at(-1))
  },
)
