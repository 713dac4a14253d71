import { randomBytes } from 'node:crypto'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { expect, onTestFinished, test } from 'vitest'
import { checkScope } from './check-scope.ts'

async function scratchIndex() {
  const { elasticsearch } = loadSettings({ env: process.env })
  const client = connectElasticsearch(elasticsearch)
  const index = `scope${randomBytes(5).toString('hex')}`
  onTestFinished(async () => {
    await client.indices.delete({ index })
    await client.close()
  })
  const mappings = { properties: { n: { type: 'long' } } } as const
  await client.indices.create({
    index,
    mappings,
    settings: { number_of_replicas: 0 },
    wait_for_active_shards: 1,
  })
  const check = (filter: Record<string, unknown>) =>
    checkScope(client, { ...elasticsearch, index, filter }, AbortSignal.timeout(45_000))
  return { index, check }
}

test('a filter that cannot be parsed is refused with the reason of the root cause, without names of Java classes', async () => {
  const { check } = await scratchIndex()
  await expect(check({ bool: { filter: [{ trem: { n: 1 } }] } })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: 'elasticsearch.filter: refused by Elasticsearch: unknown query [trem]',
  })
})

test('a filter that does not fit a mapping is refused with the index and the reason', async () => {
  const { index, check } = await scratchIndex()
  await expect(check({ term: { n: 'abc' } })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: `elasticsearch.filter: refused by Elasticsearch in ${index}: failed to create query: For input string: "abc"`,
  })
})
