import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Command } from 'commander'
import { readInvocation } from '../invocation.ts'
import { timeOf } from '../text.ts'

const NOT_FOUND = 1

/** What Redis keeps of one key, rank included: more than the gateway tells. */
export function lookupCommand(): Command {
  return new Command('lookup')
    .description('show what is stored for one document')
    .argument('<key>', 'e.g. flights/2013-01-15-UA-1545-EWR')
    .action(async (key: string, _: unknown, command: Command) => {
      const { settings, json } = readInvocation(command)
      await using store = await RedisScoreStore.open(settings.redis, {
        pipeline: settings.pipeline,
        log: quietLog,
      })
      const score = await store.get(key)
      if (score === undefined) process.exitCode = NOT_FOUND
      process.stdout.write(json ? `${JSON.stringify(score ?? null)}\n` : describe(key, score))
    })
}

function describe(key: string, score: StoredScore | undefined): string {
  if (score === undefined) return `${key}: nothing is stored\n`
  const { revision, modelGeneration } = score.rank
  return [
    `${key}: ${score.state}`,
    ...Object.entries(score.outputs).map(([name, value]) => `  ${name} = ${value}`),
    `  as of ${timeOf(score.asOfMs)}, scored ${score.scoredAtMs - score.asOfMs} ms later`,
    `  model ${score.model}, generation ${modelGeneration}`,
    `  epoch ${revision.epoch}, primary term ${revision.primaryTerm}, sequence number ${revision.seqNo}\n`,
  ].join('\n')
}
