/** The thread of `Arrivals`: looks into Redis, every few milliseconds, for the keys that it is told. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { Redis } from 'ioredis'
import { nowMs } from './now-ms.ts'

const LOOK_EVERY_MS = 2

/** Keys of Redis whose values are on their way since then. */
export interface Expected {
  readonly id: number
  readonly keys: readonly string[]
  readonly sinceMs: number
}

/** How long each took, once all are there. */
export interface Arrived {
  readonly id: number
  readonly latenciesMs: readonly number[]
}

const redis = new Redis((workerData as { readonly url: string }).url)
const awaited = new Map<string, Expected & { latenciesMs: number[] }>()
let isEnded = false

parentPort!.on('message', (expected: Expected | 'end') => {
  if (expected === 'end') {
    isEnded = true
    return
  }
  const waiting = { ...expected, latenciesMs: [] }
  for (const key of expected.keys) awaited.set(key, waiting)
})

while (!isEnded) {
  const keys = [...awaited.keys()]
  const values = keys.length === 0 ? [] : await redis.mget(keys)
  const seenMs = nowMs()
  for (const [at, key] of keys.entries()) {
    if (values[at] === null) continue
    const { id, latenciesMs, sinceMs, keys } = awaited.get(key)!
    awaited.delete(key)
    if (latenciesMs.push(seenMs - sinceMs) === keys.length)
      parentPort!.postMessage({ id, latenciesMs } satisfies Arrived)
  }
  await sleep(LOOK_EVERY_MS)
}
redis.disconnect()
parentPort!.close()
