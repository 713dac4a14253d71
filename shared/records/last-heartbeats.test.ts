import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { ALERT_STATE_KEY } from './alert-state.ts'
import { type Heartbeat, heartbeatRecord } from './heartbeat.ts'
import { LastHeartbeats } from './last-heartbeats.ts'

const heartbeat = (instance: string, atMs: number): Heartbeat => ({
  ...{ version: 1, service: 'scorer', instance, startedAtMs: 0, atMs, status: 'running', progress: {} },
  ...{ metrics: {}, model: null, lastError: null, lastErrorAtMs: null },
})
const record = (key: string | null, value: string | null) => ({
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  timestampMs: 7,
})
const said = (instance: string, atMs: number) =>
  record(`scorer/${instance}`, heartbeatRecord.encode(heartbeat(instance, atMs)))

function lastOf(...records: readonly ReturnType<typeof record>[]): LastHeartbeats {
  const last = new LastHeartbeats()
  for (const each of records) last.take(each)
  return last
}

test('one heartbeat that cannot be read keeps nobody from the others, and is named', () => {
  const last = lastOf(
    said('a', 1),
    record('scorer/b', '{"version":2}'),
    record('scorer/c', 'no JSON'),
    said('a', 2),
    record(ALERT_STATE_KEY, '{"version":1}'),
    record(null, '{}'),
    record('scorer/d', null),
  )
  expect(last.heartbeats).toEqual([heartbeat('a', 2)])
  expect(last.heard).toEqual([{ heartbeat: heartbeat('a', 2), heardAtMs: 7 }])
  expect(last.unreadable).toEqual([
    { name: 'scorer/b', error: expect.stringMatching(/^RECORD_VERSION: /) },
    { name: 'scorer/c', error: expect.stringMatching(/^RECORD_MALFORMED: /) },
  ])
})

test('the last word counts: whoever is understood again is no more unreadable, and the other way round', () => {
  expect(lastOf(record('scorer/a', '{"version":2}'), said('a', 1)).unreadable).toEqual([])
  const newer = lastOf(said('a', 1), record('scorer/a', '{"version":2}'))
  expect([newer.heartbeats, newer.unreadable.length]).toEqual([[], 1])
})
