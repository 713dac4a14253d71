import { Buffer } from 'node:buffer'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { expect, test } from 'vitest'
import { RANGE_READ_LIMITS, RangeReads } from './range-reads.ts'

const file = { key: 'file', bytes: 1_000 }
const at = (from: number, length = 10) => ({ from, to: from + length })

test('what was used last is kept, up to the bytes allowed', async () => {
  const store = new HeldStore()
  const reads = new RangeReads(store, { ...RANGE_READ_LIMITS, cacheBytes: 30 })
  store.isOpen = true
  for (const from of [0, 10, 20]) await reads.read(file, at(from))
  await reads.read(file, at(0))
  await reads.read(file, at(30)) // takes the place of 10
  expect(store.asked).toEqual([0, 10, 20, 30])
  expect(reads.keptBytes).toBe(30)
  for (const from of [0, 20, 30]) await reads.read(file, at(from))
  expect(store.asked).toHaveLength(4)
  await reads.read(file, at(10))
  expect(store.asked).toEqual([0, 10, 20, 30, 10])
  expect(reads.keptBytes).toBe(30)
})

test('so many reads are on their way at once, as many wait, and more are refused', async () => {
  const store = new HeldStore()
  const reads = new RangeReads(store, { ...RANGE_READ_LIMITS, maxReads: 2, maxWaiting: 3 })
  const all = Array.from({ length: 8 }, (_, i) => reads.read(file, at(i * 10)))
  const outcomes = Promise.allSettled(all)
  await expect(all[7]).rejects.toMatchObject({ code: 'OVERLOADED' })
  expect(store.asked).toEqual([0, 10])
  store.open()
  const refused = (await outcomes).filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(3)
  expect(store.asked).toEqual([0, 10, 20, 30, 40])
  await reads.read(file, at(70))
  expect(store.asked).toHaveLength(6)
})

test('a read that fails is asked for again by the next who wants it', async () => {
  const store = new HeldStore()
  const reads = new RangeReads(store)
  store.failure = new FreshetError('S3_UNREACHABLE', 'away')
  store.isOpen = true
  await expect(reads.read(file, at(0))).rejects.toMatchObject({ code: 'S3_UNREACHABLE' })
  store.failure = undefined
  expect(await reads.read(file, at(0))).toEqual(Buffer.alloc(10, 1))
})

test('a read ends at its own time limit, and all end on disposal', async () => {
  const store = new HeldStore()
  const hasty = new RangeReads(store, { ...RANGE_READ_LIMITS, timeoutMs: 1 })
  await expect(hasty.read(file, at(0))).rejects.toMatchObject({ code: 'DEADLINE' })
  const reads = new RangeReads(store)
  const reading = reads.read(file, at(0))
  reads[Symbol.dispose]()
  await expect(reading).rejects.toMatchObject({ code: 'DEADLINE' })
  await expect(reads.read(file, at(10))).rejects.toMatchObject({ code: 'DEADLINE' })
})

test('a file that is shorter than its index says is damaged', async () => {
  const store = new HeldStore()
  store.isOpen = true
  await expect(new RangeReads(store).read(file, at(995))).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
})

/** Answers once it is opened. */
class HeldStore extends MemoryObjectStore {
  readonly asked: number[] = []
  isOpen = false
  failure: FreshetError | undefined
  readonly #held: (() => void)[] = []

  open(): void {
    this.isOpen = true
    for (const go of this.#held.splice(0)) go()
  }

  override async getRange(
    _key: string,
    { from, to }: { from: number; to: number },
    signal?: AbortSignal,
  ): Promise<Buffer> {
    this.asked.push(from)
    if (!this.isOpen)
      await new Promise<void>((resolve, reject) => {
        this.#held.push(resolve)
        signal?.addEventListener('abort', () => reject(new FreshetError('DEADLINE', 'given up')))
      })
    if (this.failure !== undefined) throw this.failure
    return Buffer.alloc(Math.min(to, file.bytes) - from, 1)
  }
}
