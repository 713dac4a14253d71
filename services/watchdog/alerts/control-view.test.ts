import { Buffer } from 'node:buffer'
import { ALERT_STATE_KEY, type AlertState, alertStateRecord } from '@freshet/records/alert-state.ts'
import {
  controlKey,
  type Order,
  orderRecord,
  SPEAKER_KEY,
  speakerClaimRecord,
} from '@freshet/records/control.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { ControlView } from './control-view.ts'

const order: Order = {
  ...{ order: 'maintenance', version: 1, by: 'anna', reason: 'a move' },
  ...{ atMs: 1, untilMs: 1_000 },
}
const state = (term: number): AlertState => ({
  ...{ version: 2, term, writer: 'watchdog-1', lookedAtMs: 1 },
  ...{ alerts: [], untold: [] },
})
const said = (offset: number, key: string, value: string) => ({
  offset,
  key: Buffer.from(key),
  value: Buffer.from(value),
})
const claim = (offset: number, name: string) =>
  said(offset, SPEAKER_KEY, speakerClaimRecord.encode({ version: 1, instance: name, claim: name, atMs: 1 }))
const remembers = (offset: number, term: number) =>
  said(offset, ALERT_STATE_KEY, alertStateRecord.encode(state(term)))

function viewOfOldTopic(): ControlView {
  const view = new ControlView(quietLog)
  view.hear(said(3, controlKey(order), orderRecord.encode(order)))
  view.hear(claim(4, 'watchdog-1'))
  view.hear(remembers(5, 7))
  return view
}

test('of a topic that was made anew all is heard, and nothing that only the old one had is in force', () => {
  const view = viewOfOldTopic()
  view.logEndsAt(2)
  expect(view.orders.inForce(2)).toEqual([])
  expect(view.speaker()).toBeUndefined()
  expect(view.state()?.term).toBe(7) // the best that is known
  view.hear(claim(0, 'watchdog-2'))
  view.hear(remembers(1, 1)) // of one that knew nothing of the old topic
  expect(view.hasHeard('watchdog-2')).toBe(true)
  expect(view.state()?.term).toBe(1)
})

test('the second reader that learns of it takes nothing away of what was heard since', () => {
  const view = viewOfOldTopic()
  view.logEndsAt(1)
  view.hear(said(0, controlKey(order), orderRecord.encode(order)))
  view.logEndsAt(1)
  expect(view.orders.inForce(2)).toEqual([order])
})

test('a log whose beginning is gone is still the same', () => {
  const view = viewOfOldTopic()
  view.logEndsAt(6)
  expect(view.orders.inForce(2)).toEqual([order])
  view.hear(claim(2, 'watchdog-0'))
  expect(view.speaker()).toBe('watchdog-1')
})

test('a claim is heard also when that of another watchdog, whose turn is over, came right behind it', () => {
  const view = new ControlView(quietLog)
  expect(view.hasHeard('watchdog-2')).toBe(false)
  view.hear(claim(0, 'watchdog-2'))
  view.hear(claim(1, 'watchdog-1'))
  expect(view.hasHeard('watchdog-2')).toBe(true)
  view.logEndsAt(0)
  expect(view.hasHeard('watchdog-2')).toBe(false)
})
