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
  expect(heard.instances(101_300).map(({ heardAtMs }) => heardAtMs)).toEqual([40_000, 101_200])
})

test('whose clock is set back is heard all the same, and its counters go on', () => {
  const heard = new Heard(LISTENING_SINCE_MS)
  heard.upToDate()
  const beats = [
    { atMs: 120_000, nowMs: 120_100 },
    { atMs: 123_000, nowMs: 123_100 },
    { atMs: 63_000, nowMs: 126_100 },
    { atMs: 66_000, nowMs: 129_100 },
  ]
  for (const [at, said] of beats.entries()) heard.hear(heartbeat('scorer-1', said.atMs, at + 1), said)
  expect(heard.instances(129_200)).toMatchObject([
    { heartbeat: heartbeat('scorer-1', 66_000, 4), heardAtMs: 129_100 },
  ])
  expect(heard.instances(129_200)).toMatchObject([
    { lastMinute: { seconds: 9, by: { 'freshet.scorer.dead': 3 } } },
  ])
})

test('who has been forgotten and speaks again brings no old counts back', () => {
  const heard = new Heard(LISTENING_SINCE_MS)
  const dead = (nowMs: number) => heard.instances(nowMs).map(({ lastFiveMinutes }) => lastFiveMinutes.by)
  heard.hear(heartbeat('scorer-1', 510_000, 2), { atMs: 510_000, nowMs: 510_000 })
  heard.forgetBefore(510_001)
  expect(heard.instances(510_001)).toEqual([])
  heard.hear(heartbeat('scorer-1', 520_000, 7), { atMs: 520_000, nowMs: 520_000 })
  expect(dead(520_000)).toEqual([{}])
  heard.hear(heartbeat('scorer-1', 523_000, 8), { atMs: 523_000, nowMs: 523_000 })
  expect(dead(523_000)).toEqual([{ 'freshet.scorer.dead': 1 }])
})

test('another run under the same name, as containers have it, counts from 0 again', () => {
  const heard = new Heard(LISTENING_SINCE_MS)
  heard.hear(heartbeat('scorer-1', 510_000, 9), { atMs: 510_000, nowMs: 510_000 })
  const again = { ...heartbeat('scorer-1', 530_000, 3), startedAtMs: 529_000 }
  heard.hear(again, { atMs: 530_000, nowMs: 530_000 })
  expect(heard.instances(530_000).map(({ lastMinute }) => lastMinute)).toEqual([
    { seconds: 1, by: { 'freshet.scorer.dead': 3 } },
  ])
})
