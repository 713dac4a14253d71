/**
 * Every point at which a snapshot worker can die, hear nothing, or fall asleep: between any two calls of the store.
 * Real are files, parts, merges, commits, the collection of orphans; modelled are the store, time, and Kafka as a list.
 */
import { FreshetError } from '@freshet/errors/errors.ts'
import { scoreBatches } from '@freshet/records/score-batches.kit.ts'
import { manyRows } from '@freshet/snapshot/rows.kit.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MeddledStore } from './meddled-store.kit.ts'
import { endOf, SnapshotWorld } from './snapshot-world.kit.ts'

/** Two deltas become a base, a third is too small, a fourth makes two that become one delta, a fifth a new base. */
const LOG = [manyRows(0, 15), manyRows(8, 15), manyRows(3, 2), manyRows(21, 2), manyRows(0, 30)]
const SETTINGS = { maxDeltas: 2, mergeShare: 0.5 }

describe('a crash at any call of the store leaves a readable snapshot, and the next worker completes it', () => {
  test('once', async () => {
    const calls = await countCalls(new SnapshotWorld(LOG, SETTINGS))
    expect(calls).toBeGreaterThan(100)
    for (let afterCalls = 0; afterCalls < calls; afterCalls++)
      await liveAndDie(new SnapshotWorld(LOG, SETTINGS), [afterCalls])
  })

  test('again and again, with rows of any kind', async () => {
    const deaths = fc.array(fc.nat(60), { maxLength: 4 })
    const settings = fc.record({
      maxDeltas: fc.integer({ min: 1, max: 3 }),
      mergeShare: fc.constantFrom(0.1, 10),
    })
    await fc.assert(
      fc.asyncProperty(scoreBatches, settings, deaths, (batches, settings, lives) =>
        liveAndDie(new SnapshotWorld(batches, settings), lives),
      ),
      { numRuns: 40 },
    )
  })
})

/** A time-out hides that it was done: what is put again must not count twice, and a commit that won must be known as ours. */
test('a call that is done and seems to have failed, at any point, leads to the same snapshot', async () => {
  const calls = await countCalls(new SnapshotWorld(LOG, SETTINGS))
  for (let nth = 0; nth < calls; nth++) {
    const world = new SnapshotWorld(LOG, SETTINGS)
    let made = 0
    const deaf = new MeddledStore(world.store, async (work) => {
      const isDeaf = made++ === nth
      const answer = await work()
      if (isDeaf) throw new FreshetError('S3_UNREACHABLE', 'no answer')
      return answer
    })
    await endOf(world.work(deaf), ['S3_UNREACHABLE']) // while it begins or tidies up: then it is begun anew
    await world.work()
    expect(await world.expectWhole()).toBe(LOG.length)
    await world.expectLatest()
    await world.expectTidy()
  }
})

test.each([0, 2])(
  'a worker that sleeps at any call, while another does its work and %i hours pass, changes nothing afterwards',
  async (hours) => {
    const calls = await countCalls(new SnapshotWorld(LOG, SETTINGS))
    for (let afterCalls = 0; afterCalls < calls; afterCalls++) {
      const world = new SnapshotWorld(LOG, SETTINGS)
      const sleep = Promise.withResolvers<void>()
      const asleep = Promise.withResolvers<void>()
      let made = 0
      const sleeper = new MeddledStore(world.store, async (work) => {
        if (made++ === afterCalls) {
          asleep.resolve()
          await sleep.promise
        }
        return work()
      })
      const zombie = endOf(world.work(sleeper), ['MANIFEST_FENCED'])
      await asleep.promise
      await world.work()
      world.pass(hours * 3_600_000)
      sleep.resolve()
      await zombie
      expect(await world.expectWhole()).toBe(LOG.length)
      await world.expectLatest()
      await world.expectTidy()
    }
  },
)

async function countCalls(world: SnapshotWorld): Promise<number> {
  let calls = 0
  await world.work(
    new MeddledStore(world.store, (work) => {
      calls++
      return work()
    }),
  )
  return calls
}

/** @param lives after how many calls each worker dies, for good: nothing after it happens */
async function liveAndDie(world: SnapshotWorld, lives: readonly number[]): Promise<void> {
  for (const afterCalls of lives) {
    let calls = 0
    const mortal = new MeddledStore(world.store, async (work) => {
      if (calls++ < afterCalls) return work()
      throw new FreshetError('S3_REFUSED', 'dead')
    })
    await endOf(world.work(mortal), ['S3_REFUSED'])
    await world.expectWhole()
    await world.expectLatest()
  }
  await world.work()
  expect(await world.expectWhole()).toBe(world.log.length)
  if (world.log.length > 0) await world.expectTidy()
}
