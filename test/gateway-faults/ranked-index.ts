import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import type { Settings } from '@freshet/config/schema.ts'

/** Pools of documents, and how many each has. */
export const POOLS = 4
const POOL_SIZE = 20

const TEMPLATE = {
  query: { term: { pool: { $param: 'pool' } } },
  size: POOL_SIZE,
  parameters: { pool: { type: 'string' } },
}

/** The best of a pool has this score. */
export function bestScore(pool: number): number {
  return 10 * (pool * 100 + POOL_SIZE - 1)
}

/** Documents of pools, with inputs of the model. Disposing takes them away. */
export async function rankedIndex(settings: Settings, index: string): Promise<AsyncDisposable> {
  const client = connectElasticsearch(settings.elasticsearch)
  await client.indices.create({
    index,
    settings: { number_of_shards: 1, number_of_replicas: 0 },
    mappings: { properties: { pool: { type: 'keyword' } } },
  })
  const operations = Array.from({ length: POOLS * POOL_SIZE }, (_, i) => [
    { index: { _id: `d-${i}` } },
    { pool: `p-${i % POOLS}`, a: (i % POOLS) * 100 + Math.floor(i / POOLS), b: 2 },
  ])
  await client.bulk({ index, operations: operations.flat(), refresh: true })
  return {
    async [Symbol.asyncDispose]() {
      await client.indices.delete({ index }).catch(() => {})
      await client.close()
    },
  }
}

/** A file of settings with the template that asks for a pool: templates are no matter for variables. */
export async function rankingConfig(opened: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'freshet-'))
  opened.defer(() => rm(folder, { recursive: true }))
  const file = join(folder, 'freshet.yaml')
  await writeFile(file, JSON.stringify({ gateway: { rank: { templates: { pool: TEMPLATE } } } }))
  return file
}

export function ranking(pool: number): string {
  const body = JSON.stringify({ template: 'pool', parameters: { pool: `p-${pool}` }, top: 3 })
  return `POST /v1/rank HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}
