import { hostname } from 'node:os'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { fillCache } from '@freshet/scorer/cache/fill-cache.ts'
import { describeGone, type RefillProgress } from '@freshet/scorer/cache/refill.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Command } from 'commander'
import { interruptible } from '../interruptible.ts'
import { readInvocation } from '../invocation.ts'
import { ProgressLine } from '../progress-line.ts'

/** Brings all scores to Redis again. Safe at any time and beside anything: the highest rank wins. */
export function refillCommand(): Command {
  return new Command('refill')
    .description('bring all scores to Redis again, from the snapshot and from what was scored since')
    .addHelpText(
      'after',
      `
A scorer does this by itself when it finds Redis empty, restarted or replaced. Safe at any time and beside anything else;
what Redis has at a higher rank stays. Ctrl-C stops it: what was brought stays, the rest is brought by the next one.`,
    )
    .action(async (_: unknown, command: Command) => {
      const { settings, json } = readInvocation(command)
      process.exitCode = await interruptible((signal) => refillOnce(settings, json, signal))
    })
}

async function refillOnce(settings: Settings, json: boolean, signal: AbortSignal): Promise<number> {
  const { pipeline } = settings
  const owner = `freshet-refill-${hostname()}-${process.pid}`
  const startMs = systemClock.nowMs()
  using line = new ProgressLine(process.stderr, systemClock)
  await using cache = await RedisScoreStore.open(settings.redis, { pipeline, log: quietLog })
  await using store = openS3(settings.s3)
  const connection = connectKafka(settings.kafka, { clientId: 'freshet-refill', log: quietLog })
  const other = await cache.mark.claim(owner)
  if (other !== owner) process.stderr.write(`${other} refills Redis already; two are as right as one\n`)
  try {
    const onProgress = (progress: RefillProgress) => line.show(describe(progress))
    const task = { pipeline, ttlSeconds: settings.redis.ttlSeconds, anew: true, owner, onProgress }
    const { rows, malformed, gone } = await fillCache(
      { connection, store, cache, clock: systemClock },
      task,
      signal,
    )
    const seconds = (systemClock.nowMs() - startMs) / 1_000
    if (gone > 0) process.stderr.write(`${describeGone(gone)}\n`)
    const text = `Redis holds all scores: ${rows} rows brought in ${seconds.toFixed(1)} s${malformedText(malformed)}\n`
    process.stdout.write(json ? `${JSON.stringify({ rows, malformed, gone, seconds })}\n` : text)
    return 0
  } finally {
    await cache.mark.release(owner).catch(() => {}) // ends by itself
  }
}

function describe({ rows, rowsLeft }: RefillProgress): string {
  return `${rows} rows brought, ${rowsLeft > 0 ? `${rowsLeft} of the snapshot to come` : 'what was scored since the snapshot to come'}`
}

function malformedText(malformed: number): string {
  return malformed === 0 ? '' : `; ${malformed} messages of .scores cannot be read: see the topic .dead`
}
