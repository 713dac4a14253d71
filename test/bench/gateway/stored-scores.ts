import { redisKey } from '@freshet/adapters/redis/redis-key.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { encodeStoredScore } from '@freshet/records/stored-score.ts'
import { Redis } from 'ioredis'
import type { Stack } from '../../stack.ts'

/** As the cache worker stores them. Disposing takes them away. */
export async function storeScores(
  { settings, bundle }: Stack,
  keys: readonly string[],
): Promise<AsyncDisposable> {
  const redis = new Redis(settings.redis.url)
  const { outputs } = bundle.spec
  const nowMs = Date.now()
  const stored = keys.map((key, seqNo): [string, string] => [
    redisKey(settings.pipeline, key, false),
    encodeStoredScore({
      key,
      rank: { revision: { documentVersion: 0, epoch: nowMs, primaryTerm: 1, seqNo }, modelGeneration: 1 },
      state: 'scored',
      outputs: Object.fromEntries(outputs.map((output) => [output.name, 12.345678901234567 + seqNo])),
      asOfMs: nowMs,
      scoredAtMs: nowMs,
      model: modelLabel(bundle.spec),
    }),
  ])
  await redis.mset(stored.flat())
  return {
    async [Symbol.asyncDispose]() {
      await redis.unlink(stored.map(([key]) => key))
      redis.disconnect()
    },
  }
}
