import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { batchOf } from '@freshet/ports/score-store.contract.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import type { Stack } from './stack.ts'

/** What a gateway answers with: these scores in Redis, and in the index twenty documents that the model can score. */
export async function storeForGateway(stack: Stack, scores: Parameters<typeof batchOf>[0]): Promise<void> {
  const { settings, bundle, client, index } = stack
  await using store = await RedisScoreStore.open(settings.redis, {
    pipeline: settings.pipeline,
    log: quietLog,
  })
  await store.merge(rowsOfBatch(batchOf(scores)))
  const documents = bundle.golden.slice(0, 20).map(({ document }, i) => [`${i}`, document as object])
  await stack.write(Object.fromEntries(documents))
  await client.indices.refresh({ index })
}
