import { Buffer } from 'node:buffer'
import { controlKey, type Order, orderRecord } from '@freshet/records/control.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { OrderedKeys } from '@freshet/telemetry/traced/ordered-keys.ts'
import { expect, test } from 'vitest'
import { takeOrder } from './trace-orders.ts'

const stamp = { version: 1, by: 'anna', reason: '', atMs: 1_000, untilMs: 5_000 } as const
const trace: Order = { order: 'trace', ...stamp, key: 'flights/UA-1' }

function listener() {
  const orders = new OrderedKeys()
  const warnings: string[] = []
  const log = { ...quietLog, warn: (message: string) => void warnings.push(message) }
  const clock = { ...systemClock, nowMs: () => 2_000 }
  const hear = (key: string, value: Buffer | null) =>
    takeOrder({ key: Buffer.from(key), value }, { orders, clock, log })
  return { orders, warnings, hear }
}

const bytesOf = (order: Order) => Buffer.from(orderRecord.encode(order))

test('an order to trace is followed until it ends, or is taken back', () => {
  const { orders, hear } = listener()
  hear(controlKey(trace), bytesOf(trace))
  expect(orders.list()).toEqual([{ key: 'flights/UA-1', untilMs: 5_000 }])
  expect([orders.areAny(4_999), orders.areAny(5_000)]).toEqual([true, false])
  hear(controlKey(trace), bytesOf(trace))
  hear(controlKey(trace), null)
  expect(orders.list()).toEqual([])
})

test('one that ended before it was heard, and other orders, change nothing', () => {
  const { orders, warnings, hear } = listener()
  hear(controlKey(trace), bytesOf({ ...trace, untilMs: 1_500 }))
  hear('maintenance', bytesOf({ order: 'maintenance', ...stamp }))
  hear('watchdog/alerts', Buffer.from('{}'))
  expect([orders.list(), warnings]).toEqual([[], []])
})

test('one that cannot be read is told and passed over', () => {
  const { orders, warnings, hear } = listener()
  hear('trace/a', Buffer.from('{"version":9}'))
  hear('trace/b', bytesOf({ ...trace, key: 'b' }))
  expect(orders.list().map(({ key }) => key)).toEqual(['b'])
  expect(warnings).toEqual(['the order trace/a cannot be read'])
})

test('whoever listens is told of each order', () => {
  const { orders, hear } = listener()
  const told: string[] = []
  {
    using _listening = orders.onPut(({ key, untilMs }) => told.push(`${key} ${untilMs}`))
    hear(controlKey(trace), bytesOf(trace))
    hear(controlKey(trace), null)
  }
  hear(controlKey(trace), bytesOf(trace))
  expect(told).toEqual(['flights/UA-1 5000', 'flights/UA-1 0'])
})
