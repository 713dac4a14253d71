/**
 * Every point at which a snapshot worker can die: before or after each call of the store, with its effect or without.
 * Real are files, parts, merges, commits, the collection of orphans; modelled are the store, time, and Kafka as a list.
 */
import { FreshetError } from '@freshet/errors/errors.ts'
import { manyRows, scoreBatches } from '@freshet/snapshot/rows.kit.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MeddledStore } from './meddled-store.kit.ts'
import { endOf, SnapshotWorld } from './snapshot-world.kit.ts'

/** Two deltas become a base, a third is too small, a fourth makes two that become one delta, a fifth a new base. */
const LOG = [manyRows(0, 60), manyRows(30, 60), manyRows(10, 9), manyRows(85, 9), manyRows(0, 120)]
const SETTINGS = { maxDeltas: 2, mergeShare: 0.5 }

interface Death {
  /** Calls that the worker lives to see done. */
  readonly afterCalls: number
  /** Whether the call at which it dies still does its work, unheard. */
  readonly isDone: boolean
}

describe('a crash at any call of the store leaves a readable snapshot, and the next worker completes it', () => {
  test.each([true, false])('the last call done: %s', async (isDone) => {
    const calls = await countCalls(new SnapshotWorld(LOG, SETTINGS))
    expect(calls).toBeGreaterThan(100)
    for (let afterCalls = 0; afterCalls < calls; afterCalls++)
      await liveAndDie(new SnapshotWorld(LOG, SETTINGS), [{ afterCalls, isDone }])
  })

  test('again and again, with rows of any kind', async () => {
    const deaths = fc.array(fc.record({ afterCalls: fc.nat(60), isDone: fc.boolean() }), { maxLength: 4 })
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

async function liveAndDie(world: SnapshotWorld, lives: readonly Death[]): Promise<void> {
  for (const death of lives) {
    await endOf(world.work(mortal(world, death)), ['S3_REFUSED'])
    await world.expectWhole()
    await world.expectLatest()
  }
  await world.work()
  expect(await world.expectWhole()).toBe(world.log.length)
  if (world.log.length > 0) await world.expectTidy()
}

/** Dies for good: nothing after it happens. */
function mortal({ store }: SnapshotWorld, { afterCalls, isDone }: Death): MeddledStore {
  let calls = 0
  return new MeddledStore(store, async (work) => {
    const nth = calls++
    if (nth < afterCalls) return work()
    if (nth === afterCalls && isDone) await work()
    throw new FreshetError('S3_REFUSED', 'dead')
  })
}
