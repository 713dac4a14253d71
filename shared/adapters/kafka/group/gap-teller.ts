import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import type { KafkaConnection } from '../connect.ts'
import { readTopicEnds } from '../partition-ends.ts'

/**
 * Tells when a reader was overtaken by retention: kafkajs then jumps to the beginning of the log without an event. A
 * hole before a batch is legal where compaction made it, so the log's beginning is looked up, at most once a minute.
 */
export class GapTeller {
  readonly #connection: KafkaConnection
  readonly #options: { topic: string; groupId: string; log: Log; clock: Clock }
  readonly #looks: Throttle

  constructor(
    connection: KafkaConnection,
    options: { topic: string; groupId: string; log: Log; clock: Clock },
  ) {
    this.#connection = connection
    this.#options = options
    this.#looks = new Throttle(60_000, options.clock)
  }

  /**
   * @param gap    `expected`: the offset behind the last batch; `found`: the first one of this batch
   * @param signal ends the looking, and nothing is told
   */
  async look(
    partition: number,
    { expected, found }: { expected: number; found: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { topic, groupId, log } = this.#options
    if (found <= expected || this.#looks.pass() === null) return
    const ends = await readTopicEnds(this.#connection, topic, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
    if (ends === undefined) return
    const low = ends.find((end) => end.partition === partition)?.low ?? 0
    if (low > expected)
      log.warn(
        `${groupId} was to read ${topic}[${partition}] from ${expected}, but the log begins at ${low}: ${low - expected} messages are gone`,
        {
          [ATTRIBUTES.messagingGroup]: groupId,
          [ATTRIBUTES.messagingDestination]: topic,
          [ATTRIBUTES.messagingPartition]: `${partition}`,
          [ATTRIBUTES.missingMessages]: low - expected,
        },
      )
  }
}
