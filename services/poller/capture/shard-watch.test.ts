import { Buffer } from 'node:buffer'
import type { ShardsView } from '@freshet/adapters/elasticsearch/shards.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { expect, test } from 'vitest'
import { ShardWatch } from './shard-watch.ts'

/** One shard, at a checkpoint that a test moves. */
function open() {
  const clock = handClock()
  const world = { checkpoint: 0, isUnreadable: false, isCheapBroken: false }
  const asked: string[] = []
  const watch = new ShardWatch(
    {
      whole: async () => {
        asked.push('whole')
        const readable = [{ globalCheckpoint: world.checkpoint }] as unknown as ShardsView['readable']
        const unreadable = world.isUnreadable ? ['i/1'] : []
        return { clusterUuid: 'c', readable, unreadable, closed: [], indexUuids: new Set() }
      },
      cheap: async () => {
        asked.push('cheap')
        if (world.isCheapBroken) throw new Error('403')
        return Buffer.from(`${world.checkpoint}`)
      },
    },
    clock,
  )
  const look = async (isWholeWanted = false) => {
    asked.length = 0
    const view = await watch.look(isWholeWanted)
    return [view !== undefined, ...asked]
  }
  const settle = async () => {
    for (let looks = 0; looks < 4; looks++) await look()
  }
  return { clock, world, look, settle }
}

test('while nothing moves a poll is one small request, and every few seconds a whole look', async () => {
  const { clock, look, settle } = open()
  await settle()
  expect(await look()).toEqual([false, 'cheap'])
  clock.atMs += 5_000
  expect(await look()).toEqual([true, 'whole'])
  expect(await look()).toEqual([false, 'cheap'])
})

test('what has moved is seen by the very next look, and looked at whole for as long as it moves', async () => {
  const { world, look, settle } = open()
  await settle()
  world.checkpoint = 1
  expect(await look()).toEqual([true, 'cheap', 'whole'])
  world.checkpoint = 2
  expect(await look()).toEqual([true, 'whole'])
  world.checkpoint = 3
  expect(await look()).toEqual([true, 'whole'])
})

test('who waits for a whole look gets one, and so does a shard that cannot be read', async () => {
  const { world, look, settle } = open()
  await settle()
  expect(await look(true)).toEqual([true, 'whole'])
  world.isUnreadable = true
  expect(await look(true)).toEqual([true, 'whole'])
  expect(await look()).toEqual([true, 'whole'])
})

test('a cheap look that fails is not "nothing new"', async () => {
  const { world, look, settle } = open()
  await settle()
  world.isCheapBroken = true
  expect(await look()).toEqual([true, 'cheap', 'whole'])
})

test('what moved between a cheap look and the whole one after it costs a look too many, never one too few', async () => {
  const { world, look, settle } = open()
  await settle()
  world.checkpoint = 1
  await look(true)
  world.checkpoint = 1
  for (let looks = 0; looks < 2; looks++) await look()
  world.checkpoint = 2
  expect(await look()).toEqual([true, 'cheap', 'whole'])
})
