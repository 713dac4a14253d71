import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { expect, onTestFinished, test, vi } from 'vitest'
import { pingWhileWatching } from './ping.ts'

/** A dead-man's switch that answers as told, and what it was asked with. */
async function deadMansSwitch(status = 200) {
  const asked: string[] = []
  const state = { status }
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(state.status).end('OK')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping/hunter2`, asked, state }
}

/** Minutes of a watchdog; `onMinute` may change the world. */
async function watch(
  url: string,
  minutes: number,
  {
    method = 'GET' as 'GET' | 'POST',
    isWatching = (): boolean => true,
    onMinute = (_minute: number) => {},
  } = {},
) {
  const clock = handClock()
  const stop = new AbortController()
  const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() }
  const counted: string[] = []
  await pingWhileWatching(
    {
      ...{ url, method, isWatching, log },
      metrics: { add: (...[, , outcome]: unknown[]) => void counted.push(String(outcome)) },
      clock: {
        nowMs: clock.nowMs,
        async sleep(ms) {
          await clock.sleep(ms)
          onMinute(clock.atMs / 60_000)
          if (clock.atMs >= minutes * 60_000) stop.abort()
        },
      },
    },
    stop.signal,
  )
  return { log, counted }
}

test.each(['GET', 'POST'] as const)(
  'a switch is asked once a minute while somebody watches, by %s',
  async (method) => {
    const { url, asked } = await deadMansSwitch()
    const { counted } = await watch(url, 3, { method })
    expect(asked).toEqual(Array(3).fill(`${method} /ping/hunter2`))
    expect(counted).toEqual(['answered', 'answered', 'answered'])
  },
)

test('a watchdog that is blind leaves the switch alone', async () => {
  const { url, asked } = await deadMansSwitch()
  let minute = 0
  await watch(url, 6, { isWatching: () => minute < 2, onMinute: (now) => (minute = now) })
  expect(asked).toHaveLength(2)
})

test('a switch that fails is said once, without its address, and ends nothing', async () => {
  const { url, asked, state } = await deadMansSwitch(500)
  const { log, counted } = await watch(url, 5, { onMinute: (now) => (state.status = now < 3 ? 500 : 200) })
  expect(asked).toHaveLength(5)
  expect(counted).toEqual(['failed', 'failed', 'failed', 'answered', 'answered'])
  expect(log.warn).toHaveBeenCalledOnce()
  expect(log.info).toHaveBeenCalledOnce()
  expect(JSON.stringify(log.warn.mock.calls)).not.toContain('hunter2')
  const { log: second } = await watch('http://127.0.0.1:1/ping/hunter2', 2)
  expect(JSON.stringify(second.warn.mock.calls)).not.toMatch(/hunter2|127\.0\.0\.1/)
})
