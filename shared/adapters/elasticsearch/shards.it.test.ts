import { randomBytes } from 'node:crypto'
import { loadSettings } from '@freshet/config/load.ts'
import { expect, test } from 'vitest'
import { connectElasticsearch } from './connect.ts'
import { readShards } from './shards.ts'

const soon = () => AbortSignal.timeout(30_000)

/** Two indices behind one alias, deleted at the end. */
async function open() {
  const client = connectElasticsearch(loadSettings({ env: process.env }).elasticsearch)
  const name = `shards${randomBytes(5).toString('hex')}`
  const indices = [`${name}-1`, `${name}-2`] as const
  const create = (index: string) =>
    client.indices.create({
      index,
      settings: { number_of_shards: 1, number_of_replicas: 0 },
      aliases: { [name]: {} },
    })
  for (const index of indices) await create(index)
  return {
    client,
    name,
    indices,
    view: (of: string = name) => readShards(client, of, soon()),
    async [Symbol.asyncDispose]() {
      await client.indices.delete({ index: [...indices] })
      await client.close()
    },
  }
}

const names = (shards: readonly { index: string }[]) => shards.map(({ index }) => index).sort()

test('an alias and a pattern show the same shards; a closed one among them hides no other', async () => {
  await using world = await open()
  const { client, name, indices, view } = world
  expect(names((await view()).readable)).toEqual(indices)
  await client.indices.close({ index: indices[1] })
  for (const of of [name, `${name}-*`]) {
    const seen = await view(of)
    expect(seen).toMatchObject({ unreadable: [], closed: [indices[1]] })
    expect(names(seen.readable)).toEqual([indices[0]])
    expect(seen.indexUuids.size).toBe(2)
  }
})

test('deletes are counted, so that a shard without any need not be searched for them', async () => {
  await using world = await open()
  const { client, indices, view } = world
  await client.index({ index: indices[0], id: 'a', document: {} })
  await client.delete({ index: indices[0], id: 'a' })
  const seen = (await view()).readable.map(({ index, deleteTotal }) => [index, deleteTotal])
  expect(Object.fromEntries(seen)).toEqual({ [indices[0]]: 1, [indices[1]]: 0 })
})

test('what no index matches is a view without indices, not an error', async () => {
  await using world = await open()
  for (const of of [`${world.name}-none`, `${world.name}-none-*`])
    expect(await world.view(of)).toMatchObject({ readable: [], unreadable: [], indexUuids: new Set() })
})
