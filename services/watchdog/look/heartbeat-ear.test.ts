import { Buffer } from 'node:buffer'
import { heartbeatKey, heartbeatRecord } from '@freshet/records/heartbeat.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test, vi } from 'vitest'
import { instance } from '../rules/facts.kit.ts'
import { Heard } from './heard.ts'
import { heartbeatTaker } from './heartbeat-ear.ts'

test('what cannot be read of an instance is said once a minute, and the others are heard', () => {
  const clock = handClock(1_000_000)
  const heard = new Heard(0)
  const log = { ...quietLog, warn: vi.fn() }
  const take = heartbeatTaker({ heard, clock, log })
  const { heartbeat } = instance('scorer-1')
  const beat = (name: string, value: string) =>
    take({
      key: Buffer.from(heartbeatKey('scorer', name)),
      value: Buffer.from(value),
      timestampMs: clock.nowMs(),
    })
  for (let seconds = 0; seconds < 60; seconds += 3) {
    beat('newer', '{"version":99}')
    beat('scorer-1', heartbeatRecord.encode(heartbeat))
    clock.atMs += 3_000
  }
  expect(log.warn).toHaveBeenCalledTimes(1)
  beat('newer', '{"version":99}')
  beat('broken', '{')
  expect(log.warn.mock.calls.map(([line]) => line)).toEqual([
    'the heartbeat of scorer/newer cannot be read',
    'the heartbeat of scorer/newer cannot be read',
    'the heartbeat of scorer/broken cannot be read',
  ])
  expect(heard.instances(clock.nowMs()).map((one) => one.heartbeat.instance)).toEqual(['scorer-1'])
})
