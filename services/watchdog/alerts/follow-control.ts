import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { followTopic } from '@freshet/adapters/kafka/follow-topic.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import type { ControlView } from './control-view.ts'

/** Orders are given by hand, and come seldom. */
const GATHER_MS = 1_000

/** Hears all of `.control`, from its beginning, until `signal` aborts, through every outage of Kafka. */
export async function followControl(
  {
    pipeline,
    view,
    ...means
  }: {
    readonly connection: KafkaConnection
    readonly pipeline: string
    readonly view: ControlView
    readonly clock: Clock
    readonly log: Log
  },
  signal: AbortSignal,
): Promise<void> {
  await followTopic(
    {
      ...{ ...means, topic: topicName(pipeline, 'control'), sinceMs: 0, gatherMs: GATHER_MS },
      otherwise: 'silences and other orders may be old',
      onMessage: (_partition, message) => view.hear(message),
      onOutside: (_partition, { high }) => view.logEndsAt(high),
    },
    signal,
  )
}
