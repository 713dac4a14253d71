import { createRequire } from 'node:module'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { guardIdleTimer } from './idle-timer.ts'

const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js')

beforeEach(() => {
  vi.useFakeTimers()
  guardIdleTimer()
  guardIdleTimer()
})
afterEach(() => void vi.useRealTimers())

function openQueue({ requestTimeout = 1_000 } = {}) {
  const queue = new RequestQueue({
    maxInFlightRequests: 1,
    requestTimeout,
    enforceRequestTimeout: true,
    clientId: 'test',
    broker: 'b:1',
    logger: quietLog,
    isConnected: () => true,
  })
  const sent: number[] = []
  const outcomes = new Map<number, string>()
  const push = (correlationId: number) =>
    queue.push({
      entry: {
        correlationId,
        resolve: () => outcomes.set(correlationId, 'answered'),
        reject: (error: Error) => outcomes.set(correlationId, error.name),
      },
      expectResponse: true,
      sendRequest: () => sent.push(correlationId),
    })
  return { queue, sent, outcomes, push }
}

test('a connection with nothing to send arms no timer', () => {
  const { queue, push, outcomes } = openQueue()
  push(1)
  queue.fulfillRequest({ correlationId: 1, payload: null, size: 0 })
  expect(outcomes.get(1)).toBe('answered')
  expect(vi.getTimerCount()).toBe(0)
})

test('a request that waits for its turn is sent when the one before is answered', () => {
  const { queue, push, sent } = openQueue()
  push(1)
  push(2)
  expect(sent).toEqual([1])
  queue.fulfillRequest({ correlationId: 1, payload: null, size: 0 })
  expect(sent).toEqual([1, 2])
})

test('a request held back by the broker’s throttle is sent when the throttle ends', () => {
  const { queue, push, sent } = openQueue()
  queue.maybeThrottle(500)
  push(1)
  vi.advanceTimersByTime(400)
  expect(sent).toEqual([])
  vi.advanceTimersByTime(200)
  expect(sent).toEqual([1])
})

test('a throttle that ends while the timer is armed gives no negative delay', () => {
  const { queue } = openQueue()
  const arm = vi.spyOn(globalThis, 'setTimeout')
  queue.maybeThrottle(5)
  const startMs = Date.now()
  const clock = vi.spyOn(Date, 'now')
  clock.mockReturnValueOnce(startMs + 4).mockReturnValue(startMs + 8)
  queue.scheduleCheckPendingRequests()
  expect(arm.mock.calls.map(([, ms]) => ms)).toEqual([1])
  clock.mockRestore()
  arm.mockRestore()
})

test('a request without an answer still times out, and the next one is sent', () => {
  const { queue, push, sent, outcomes } = openQueue()
  queue.scheduleRequestTimeoutCheck()
  push(1)
  push(2)
  vi.advanceTimersByTime(1_200)
  expect(outcomes.get(1)).toBe('KafkaJSRequestTimeoutError')
  expect(sent).toEqual([1, 2])
  queue.destroy()
})

test('a connection looks for requests that have timed out ten times in the time that they have, not oftener', () => {
  const { queue, push, outcomes } = openQueue({ requestTimeout: 10_000 })
  const arm = vi.spyOn(globalThis, 'setInterval')
  queue.scheduleRequestTimeoutCheck()
  expect(arm.mock.calls.map(([, ms]) => ms)).toEqual([1_000])
  arm.mockRestore()
  push(1)
  vi.advanceTimersByTime(9_900)
  expect(outcomes.size).toBe(0)
  vi.advanceTimersByTime(1_200)
  expect(outcomes.get(1)).toBe('KafkaJSRequestTimeoutError')
  queue.destroy()
})

test('a connection that is closed stops looking', () => {
  const { queue } = openQueue()
  queue.isConnected = () => false
  queue.scheduleRequestTimeoutCheck()
  vi.advanceTimersByTime(200)
  expect(vi.getTimerCount()).toBe(0)
})
