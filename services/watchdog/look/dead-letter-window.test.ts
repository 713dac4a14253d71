import type { Heartbeat } from '@freshet/records/heartbeat.ts'
import { expect, test } from 'vitest'
import { DeadLetterWindow } from './dead-letter-window.ts'

const heartbeat = (instance: string, dead: number) =>
  ({ instance, metrics: { 'freshet.scorer.dead': dead } }) as unknown as Heartbeat

test('dead letters count while they are recent, and those of before we listened do not', () => {
  const window = new DeadLetterWindow(60_000)
  window.hear(heartbeat('scorer-1', 100), 0)
  expect(window.recent(1_000).size).toBe(0)
  window.hear(heartbeat('scorer-1', 102), 3_000)
  window.hear(heartbeat('scorer-2', 0), 4_000)
  window.hear(heartbeat('scorer-2', 1), 30_000)
  expect([...window.recent(31_000)]).toEqual([
    ['scorer-1', 2],
    ['scorer-2', 1],
  ])
  expect([...window.recent(70_000)]).toEqual([['scorer-2', 1]])
  expect([...window.recent(90_000)]).toEqual([])
})
