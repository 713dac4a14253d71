import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { LoopWatch } from './loop-watch.ts'

const STILL_MS = 80

function standStill(): void {
  const endsAtMs = performance.now() + STILL_MS
  while (performance.now() < endsAtMs);
}

/** When the loop sees a byte that was sent before it stood still, what does the watch say of it? */
async function seenAfter(hold: (still: () => void) => void) {
  using loop = new LoopWatch()
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')])
  await expect.poll(() => loop.ticks).toBeGreaterThan(2)
  const seen = new Promise<{ waitedMs: number; isBehind: boolean }>((resolve) =>
    accepted.once('data', () => {
      const nowMs = performance.now()
      resolve({ waitedMs: nowMs - loop.arrivedAtMs(nowMs), isBehind: loop.isBehind(nowMs) })
    }),
  )
  hold(() => {
    client.write('?')
    standStill()
  })
  const told = await seen
  client.destroy()
  server.close()
  return told
}

test.each<[string, (still: () => void) => void]>([
  ['a timer', (still) => setTimeout(still, 1)],
  ['an immediate', (still) => setImmediate(still)],
  ['a promise', (still) => void Promise.resolve().then(still)],
])('what came in while %s held the loop has waited for as long', async (_, hold) => {
  const { waitedMs, isBehind } = await seenAfter(hold)
  expect(waitedMs).toBeGreaterThan(STILL_MS - 20)
  expect(isBehind).toBe(true)
})

test('a loop that turns tells no wait beyond now', async () => {
  using loop = new LoopWatch()
  await expect.poll(() => loop.ticks).toBeGreaterThan(2)
  const nowMs = performance.now()
  expect(loop.arrivedAtMs(nowMs)).toBeLessThanOrEqual(nowMs)
})
