import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { settingsSchema } from '@freshet/config/schema.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { expect, test, vi } from 'vitest'
import { runHeartbeats } from './heartbeat-loop.ts'
import { ServiceState } from './service-state.ts'

test('a stop while Kafka is away does not say that heartbeats are heard again', async () => {
  const { kafka } = settingsSchema.parse({ kafka: { brokers: ['127.0.0.1:1'] } })
  const clock = handClock()
  const stop = new AbortController()
  const log = { ...quietLog, warn: vi.fn(), info: vi.fn() }
  const metrics = new Metrics()
  let beats = 0
  vi.spyOn(metrics, 'values').mockImplementation(() => {
    if (++beats === 3) stop.abort()
    return {}
  })
  await runHeartbeats({
    connection: connectKafka(kafka, { clientId: 'test', log: quietLog }),
    pipeline: 'air',
    service: 'poller',
    instance: 'poller-1',
    telemetry: { log, metrics } as unknown as Telemetry,
    state: new ServiceState(clock),
    everyMs: 1_000,
    clock,
    signal: stop.signal,
  })
  expect(beats).toBe(3)
  expect(log.warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('are not heard'))
  expect(log.info).not.toHaveBeenCalled()
})
