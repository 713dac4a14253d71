import { systemClock } from '@freshet/stage/clock.ts'
import { expect, test, vi } from 'vitest'
import { Metrics } from '../metrics.ts'
import { Outbox, type OutboxEvents } from './outbox.ts'
import type { Queued } from './queue.ts'

test('a delivery that throws is tried again, told once, and ends nothing', async () => {
  const events = { unreachable: vi.fn(), recovered: vi.fn(), refused: vi.fn() } satisfies OutboxEvents
  const metrics = new Metrics()
  const item: Queued = { bytes: 10, worth: 'alarm' }
  let tries = 0
  {
    await using outbox = new Outbox<Queued>({
      ...{ maxQueuedBytes: 1_000, metrics, on: events },
      clock: { nowMs: systemClock.nowMs, sleep: (_, signal) => systemClock.sleep(1, signal) },
      async deliver(items) {
        if (++tries < 4) throw new TypeError('not foreseen')
        return { written: items, retry: [], refused: [] }
      },
    })
    outbox.push(item)
    await expect.poll(() => metrics.values()['freshet.telemetry.exported']).toBe(1)
  }
  expect(tries).toBe(4)
  expect(events.unreachable.mock.calls).toMatchObject([[{ code: 'BUG' }]])
  expect(events.recovered).toHaveBeenCalledOnce()
  expect(metrics.values()['freshet.telemetry.dropped.stopped'] ?? 0).toBe(0)
})

test('what throws until the end is dropped and counted, and the end comes in time', async () => {
  const metrics = new Metrics()
  const on: OutboxEvents = { unreachable() {}, recovered() {}, refused() {} }
  const outbox = new Outbox<Queued>({
    ...{ maxQueuedBytes: 1_000, metrics, on, clock: systemClock, flushDeadlineMs: 50 },
    deliver: () => Promise.reject(new TypeError('not foreseen')),
  })
  outbox.push({ bytes: 10, worth: 'alarm' })
  await outbox[Symbol.asyncDispose]()
  expect(metrics.values()['freshet.telemetry.dropped.stopped']).toBe(1)
})
