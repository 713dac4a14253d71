import { type Batch, GroupConsumer } from '@freshet/adapters/kafka/consumer.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { ScoreStore } from '@freshet/ports/score-store.ts'
import { type ScoreBatch, tryDecodeScoreBatch } from '@freshet/records/score-batch.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import { groupName, topicName } from '@freshet/records/topics.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { Batches } from '@freshet/telemetry/batches.ts'
import { inSpan, linksTo, messagingSpan, traceContextOf } from '@freshet/telemetry/spans.ts'
import { SpanKind } from '@opentelemetry/api'
import { commitSpans } from '../commit-spans.ts'
import type { DeadLetters, DeadMessage } from '../dead-letters.ts'
import { leaveSteps } from '../document-steps.ts'
import type { FillDeps } from './fill-cache.ts'
import { Freshness } from './freshness.ts'
import { keepFilled } from './keep-filled.ts'

export interface CacheDeps extends FillDeps {
  readonly deadLetters: DeadLetters
}

const REDIS = { [ATTRIBUTES.dbSystem]: 'redis', [ATTRIBUTES.dbOperation]: 'merge' }
/** Longer than the cache tries by itself before it rejects. */
const STALL_MS = 60_000
/** Partitions in work at once: all of a fetch, since the next fetch waits for the last of this one. */
const CONCURRENCY = 16
/** Of freshness: long enough for a figure that stands still, short enough for trouble to show. */
const WINDOW_MS = 60_000
const TELL_EVERY_MS = 5_000

/**
 * Merges `.scores` into the cache until the signal aborts, and commits what the cache has. While the cache is away the
 * same batches come again and again, with pauses; a batch that is merged twice changes nothing. What the cache loses
 * after that is brought back beside it.
 */
export async function runCache(context: ServiceContext, deps: CacheDeps): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([context.signal, stop.signal])
  const freshness = new Freshness({ windowMs: WINDOW_MS })
  const beside = [keepFilled({ ...context, signal }, deps), tell(freshness, { ...context, signal }, deps)]
  try {
    await mergeScores(context, deps, freshness)
  } finally {
    stop.abort()
    await Promise.all(beside)
  }
}

/** Also while nothing comes: then there is no figure, in place of an old one. */
async function tell(
  freshness: Freshness,
  { telemetry, signal }: ServiceContext,
  { clock }: CacheDeps,
): Promise<void> {
  while (!signal.aborted) {
    telemetry.metrics.setEach('freshet.cache.freshness', freshness.quantiles(clock.nowMs()))
    await clock.sleep(TELL_EVERY_MS, signal)
  }
}

async function mergeScores(context: ServiceContext, deps: CacheDeps, freshness: Freshness): Promise<void> {
  const { settings, telemetry, signal } = context
  const topic = topicName(settings.pipeline, 'scores')
  const group = groupName(settings.pipeline, 'cache')
  const consumer = new GroupConsumer(deps.connection, {
    groupId: group,
    topic,
    onCommit: commitSpans(context, { topic, groupId: group }),
    stallMs: STALL_MS,
    concurrency: CONCURRENCY,
    log: telemetry.log,
    clock: deps.clock,
  })
  const work = new Batches(telemetry, 'cache', settings.telemetry.batchSpansPerSecond)
  await consumer.run(async (fetched, lease) => {
    const { batches, dead } = decodeFetch(fetched)
    const shape = messagingSpan('process', {
      topic,
      group,
      partition: fetched.partition,
      messages: fetched.messages.length,
      links: linksTo(batches.map(({ header }) => header.trace)),
    })
    await work.run(shape, async (span) => {
      const source = { topic, partition: fetched.partition, model: null }
      await deps.deadLetters.send(dead, source, lease.signal)
      const beganAtMs = deps.clock.nowMs()
      await mergeAll(batches, AbortSignal.any([lease.signal, signal]), context, deps.cache)
      const endedAtMs = deps.clock.nowMs()
      const step = { step: 'cache', after: 'score', beganAtMs, endedAtMs, attributes: REDIS } as const
      for (const batch of batches) {
        freshness.add(batch, endedAtMs)
        leaveSteps(telemetry.traced, batch, { ...step, together: [traceContextOf(span)] })
      }
      await lease.commit(fetched.messages.at(-1)!.offset + 1)
    })
  }, signal)
}

/**
 * What is no score batch at all is set aside with its bytes, like a change that cannot be read.
 * @throws RECORD_VERSION when infer is newer than this build: its batches must wait for a newer one
 */
function decodeFetch({ messages }: Batch): { batches: ScoreBatch[]; dead: DeadMessage[] } {
  const batches: ScoreBatch[] = []
  const dead: DeadMessage[] = []
  for (const message of messages) {
    const batch = tryDecodeScoreBatch(message.value)
    if (batch instanceof FreshetError)
      dead.push({ message, code: batch.code, at: null, reason: batch.message })
    else batches.push(batch)
  }
  return { batches, dead }
}

/**
 * All at once, bounded by what one fetch brings: ranks make their order meaningless. A cache that takes nothing for as long
 * as a merge tries is told, since the consumer, which asks again and again, would go on in silence.
 */
async function mergeAll(
  batches: readonly ScoreBatch[],
  signal: AbortSignal,
  { telemetry, report }: ServiceContext,
  cache: ScoreStore,
): Promise<void> {
  const rows = batches.reduce((sum, batch) => sum + batch.rows.count, 0)
  const shape = {
    name: 'write cache',
    kind: SpanKind.CLIENT,
    attributes: {
      ...REDIS,
      [ATTRIBUTES.stage]: 'cache',
      [ATTRIBUTES.rows]: rows,
      [ATTRIBUTES.dbBatchRows]: rows,
    },
  }
  try {
    await inSpan(telemetry.tracer, shape, () =>
      Promise.all(batches.map((batch) => cache.merge(rowsOfBatch(batch), signal))),
    )
  } catch (error) {
    if (!signal.aborted) report.failing('cache', error)
    throw error
  }
  report.running('cache')
  telemetry.metrics.add('freshet.cache.rows', rows)
  report.progressed('cache', rows)
}
