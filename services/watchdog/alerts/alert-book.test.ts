import type { AlertMessage } from '@freshet/records/alert-state.ts'
import { expect, test } from 'vitest'
import { AlertBook } from './alert-book.ts'
import { bad, LOOK_MS, START_MS, timing } from './story.kit.ts'

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
