import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import type { PromotedModel } from '@freshet/model/run/promoted-model.ts'
import { rescoreGroup } from '@freshet/records/topics.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { BackgroundWork } from '../background-work.ts'
import type { DeadLetters } from '../dead-letters.ts'
import { BatchScorer } from '../infer/batch-scorer.ts'
import type { Stretches } from '../infer/stretches.ts'
import { PRODUCE_DEADLINE_MS } from '../produce-deadline.ts'
import { Campaign, LOOK_SOON_MS } from './campaign.ts'
import { type PartitionPlan, progressOf } from './plan.ts'
import { readPlan } from './read-plan.ts'

export interface RescoreDeps {
  readonly connection: KafkaConnection
  readonly deadLetters: DeadLetters
  readonly models: PromotedModel
  readonly background: BackgroundWork
  readonly stretches: Stretches
  readonly clock: Clock
}

/** So long after a promotion scorers still change over, and commit what they scored with the older model. */
const SETTLES_MS = 30_000
/** After that hardly anything can come to be left; and what Kafka did not hand out, it hardly will. */
const LOOK_EVERY_MS = 60_000

/**
 * Keeps what is scored at the newest model until the signal aborts: looks how much of `.changes` is scored with an older
 * one only, and while there is any, scores it again in the gaps of what is fresh. Ranks make it safe to stop, to
 * repeat, and to race: a row that comes twice changes nothing, and one that comes late loses.
 */
export async function runRescore(context: ServiceContext, deps: RescoreDeps): Promise<void> {
  const { settings, telemetry, signal } = context
  const { connection, models, clock } = deps
  // Its own, so that fresh scores do not wait for ours to be acknowledged.
  await using producer = new Producer(connection, {
    clock,
    log: telemetry.log,
    deadlineMs: PRODUCE_DEADLINE_MS,
  })
  const scorer = new BatchScorer(
    context,
    { ...deps, producer },
    {
      stage: 'rescore',
      groupId: rescoreGroup(settings.pipeline),
      // What no model was asked about is in the dead letters since it was fresh.
      isNews: ({ code }) => code !== 'RECORD_MALFORMED',
      isBackground: true,
    },
  )
  let known = 0
  let promotedAtMs = 0
  while (!signal.aborted) {
    const generation = models.current?.identity.generation ?? 0
    if (generation !== known) promotedAtMs = clock.nowMs()
    known = generation
    const look = () => lookAt(context, deps, generation)
    const campaign = new Campaign(context, { ...deps, scorer, look, generation })
    const ended = await campaign.run(await look())
    const nowMs = clock.nowMs()
    // The longer it is since the promotion the less is still to be expected of it, and each look costs Kafka a connection.
    const sinceMs = nowMs - promotedAtMs
    const nextAtMs = nowMs + (ended === 'over' && sinceMs < SETTLES_MS ? sinceMs : LOOK_EVERY_MS)
    do await clock.sleep(LOOK_SOON_MS, signal)
    while (!signal.aborted && clock.nowMs() < nextAtMs && models.current?.identity.generation === generation)
  }
}

/** What is left; it is told to those who watch, and to infer what needs no more looking at. */
async function lookAt(
  { settings, telemetry, signal }: ServiceContext,
  { connection, stretches }: RescoreDeps,
  generation: number,
): Promise<readonly PartitionPlan[]> {
  const plans = await readPlan(connection, settings.pipeline, generation, signal)
  for (const { partition, settled } of plans) if (settled !== null) stretches.settle(partition, settled)
  const { total, left, beganAtMs } = progressOf(plans)
  const { metrics } = telemetry
  metrics.set('freshet.rescore.generation', generation)
  metrics.set('freshet.rescore.total', total)
  metrics.set('freshet.rescore.left', left)
  metrics.set('freshet.rescore.began_at', (beganAtMs ?? 0) / 1_000)
  return plans
}
