/** How the bare programs are called that take a pipeline's place. */
import { redisKey } from '@freshet/adapters/redis/redis-key.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { DEMO_FOLDER } from '@freshet/model/bundle/bundles.kit.ts'
import { topicName } from '@freshet/records/topics.ts'
import { type BareProcess, startBare } from './bare-process.ts'

export const BARE_POLLER = new URL('./bare-poller.ts', import.meta.url)

/** It reads the pipeline's index, and writes its `.changes`. */
export function barePollerArgs({ elasticsearch, kafka, pipeline }: Settings): string[] {
  const { url, index } = elasticsearch
  return [url, index, kafka.brokers.join(','), topicName(pipeline, 'changes')]
}

/** Resolves once it reads the pipeline's `.changes`. */
export function startBareScorer({ kafka, pipeline, redis }: Settings): Promise<BareProcess<string>> {
  const { topic, groupId } = bareGroup(pipeline)
  const keyPrefix = redisKey(pipeline, '', false)
  const args = [kafka.brokers.join(','), topic, groupId, redis.url, keyPrefix, DEMO_FOLDER]
  return startBare(new URL('./bare-scorer.ts', import.meta.url), args)
}

/** In which it says how far it has come. */
export function bareGroup(pipeline: string): { readonly groupId: string; readonly topic: string } {
  return { groupId: `${pipeline}-bare`, topic: topicName(pipeline, 'changes') }
}
