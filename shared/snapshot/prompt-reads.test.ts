import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { steppedClock } from '@freshet/stage/clock.kit.ts'
import { expect, test } from 'vitest'
import { promptReads, sharedPatience } from './prompt-reads.ts'

/** A store whose reads hang, as those of S3 do, until they are given up, and a clock under the hand of the test. */
class World extends MemoryObjectStore {
  readonly clock = steppedClock()
  readonly prompt = promptReads(this, this.clock)
  hangs = true

  override async get(key: string, signal?: AbortSignal) {
    await this.#hang(signal!)
    return super.get(key, signal)
  }

  override async getRange(key: string, range: { from: number; to: number }, signal?: AbortSignal) {
    await this.#hang(signal!)
    return super.getRange(key, range, signal)
  }

  /** How long a read that hangs is waited for. */
  async waits(read: () => Promise<unknown>): Promise<number> {
    const fromMs = this.clock.nowMs()
    const failed = expect(read()).rejects.toMatchObject({ code: 'S3_UNREACHABLE' })
    await turn()
    this.clock.step()
    await failed
    return this.clock.nowMs() - fromMs
  }

  async #hang(signal: AbortSignal): Promise<void> {
    if (!this.hangs) return
    if (!signal.aborted) await once(signal, 'abort')
    throw new FreshetError('DEADLINE', 'given up')
  }
}

test('a read that hangs is given up after 1.5 s, and never waited for longer than 3', async () => {
  const world = new World()
  const waited: number[] = []
  for (let i = 0; i < 5; i++) waited.push(await world.waits(() => world.prompt.get('manifest')))
  expect(waited).toEqual([1_500, 3_000, 3_000, 3_000, 3_000])
})

test('a large one has more time, and more with each try, and less again when it comes', async () => {
  const world = new World()
  await world.put('a', Buffer.alloc(4))
  const large = () => world.prompt.getRange('a', { from: 0, to: 2 ** 20 })
  expect(await world.waits(large)).toBe(1_500 + 1_024)
  expect(await world.waits(large)).toBe(3_000 + 2_048)
  expect(await world.waits(large)).toBe(3_000 + 4_096)
  world.hangs = false
  for (let i = 0; i < 3; i++) expect(await large()).toHaveLength(4)
  world.hangs = true
  expect(await world.waits(large)).toBe(1_500 + 1_024)
})

test('what one learns of a slow store is known to all who share it, also after it is gone', async () => {
  const world = new World()
  const patience = sharedPatience()
  const large = () =>
    world.waits(() =>
      promptReads(world, world.clock, structuredClone(patience)).getRange('a', { from: 0, to: 2 ** 20 }),
    )
  expect(await large()).toBe(1_500 + 1_024)
  expect(await large()).toBe(3_000 + 2_048)
})

test('what its caller gives up is no fault of the store', async () => {
  const world = new World()
  const caller = new AbortController()
  const read = expect(world.prompt.get('a', caller.signal)).rejects.toMatchObject({ code: 'DEADLINE' })
  caller.abort()
  await read
})
