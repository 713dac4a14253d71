import type { AlertMessage, Finding } from '@freshet/records/alert-state.ts'
import { expect, test } from 'vitest'
import { AlertBook } from './alert-book.ts'

const finding = (id: string): Finding => ({ id, kind: 'lag', title: `${id} is behind`, details: {} })

function openBook() {
  const givenUp: AlertMessage[] = []
  const book = new AlertBook((message) => givenUp.push(message))
  let nowMs = 0
  const look = (...ids: string[]) =>
    book.judge({ findings: ids.map(finding), blind: false }, { nowMs: (nowMs += 1_000), repeatMs: 1e9 })
  const untold = () => book.state().untold.map((message) => `${message.change} ${message.finding.id}`)
  return { book, look, untold, givenUp }
}

test('a watchdog that starts again neither repeats what is known nor forgets what is untold', () => {
  const first = openBook()
  first.look('told', 'untold')
  first.look('told', 'untold')
  first.book.told(first.book.nextUntold()!)
  const second = openBook()
  second.look('told', 'untold')
  second.book.restore(first.book.state())
  second.look('told', 'untold')
  second.look('told', 'untold')
  expect(second.untold()).toEqual(['firing untold'])
})

test('an alert that ended while no watchdog ran is resolved by the next one', () => {
  const first = openBook()
  first.look('a')
  first.look('a')
  first.book.told(first.book.nextUntold()!)
  const second = openBook()
  second.book.restore(first.book.state())
  for (let looks = 0; looks < 3; looks++) second.look()
  expect(second.untold()).toEqual(['resolved a'])
})

test('when nobody can be told for long, the oldest messages are given up, and said so', () => {
  const { look, untold, givenUp } = openBook()
  const ids = Array.from({ length: 130 }, (_, at) => `a${at}`)
  look(...ids)
  look(...ids)
  expect(untold()).toHaveLength(100)
  expect(givenUp.map((message) => message.finding.id)).toEqual(ids.slice(0, 30))
})
