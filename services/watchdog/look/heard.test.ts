import type { Heartbeat } from '@freshet/records/heartbeat.ts'
import { expect, test } from 'vitest'
import { Heard } from './heard.ts'

const LISTENING_SINCE_MS = 100_000

function heartbeat(instance: string, atMs: number, dead = 0): Heartbeat {
  return {
    version: 1,
    service: 'scorer',
    instance,
    startedAtMs: 0,
    atMs,
    status: 'running',
    progress: {},
    metrics: { 'freshet.scorer.dead': dead },
    model: null,
    lastError: null,
    lastErrorAtMs: null,
  }
}

test('what was said before we listened was heard when it was said, so a restart makes nobody look alive', () => {
  const heard = new Heard(LISTENING_SINCE_MS)
  heard.hear(heartbeat('scorer-1', 40_000), { atMs: 40_000, nowMs: 100_500 })
  heard.hear(heartbeat('scorer-2', 101_000), { atMs: 101_000, nowMs: 101_200 })
  expect(heard.instances().map(({ heardAtMs }) => heardAtMs)).toEqual([40_000, 101_200])
})

test('a heartbeat that comes late does not take the place of a newer one', () => {
  const heard = new Heard(LISTENING_SINCE_MS)
  heard.hear(heartbeat('scorer-1', 120_000), { atMs: 120_000, nowMs: 120_100 })
  heard.hear(heartbeat('scorer-1', 110_000), { atMs: 120_200, nowMs: 120_300 })
  expect(heard.instances()).toEqual([{ heartbeat: heartbeat('scorer-1', 120_000), heardAtMs: 120_100 }])
})

test('who has been forgotten and speaks again brings no old dead letters back', () => {
  const heard = new Heard(LISTENING_SINCE_MS)
  heard.hear(heartbeat('scorer-1', 110_000, 2), { atMs: 110_000, nowMs: 110_000 })
  heard.forgetBefore(110_001)
  expect(heard.instances()).toEqual([])
  heard.hear(heartbeat('scorer-1', 120_000, 7), { atMs: 120_000, nowMs: 120_000 })
  expect(heard.recentDeadRows(120_000).size).toBe(0)
  heard.hear(heartbeat('scorer-1', 121_000, 8), { atMs: 121_000, nowMs: 121_000 })
  expect([...heard.recentDeadRows(121_000)]).toEqual([['scorer-1', 1]])
})
