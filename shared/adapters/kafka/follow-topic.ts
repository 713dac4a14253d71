import { toFreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { type BackOff, delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { errorAttributes } from '@freshet/stage/error-attributes.ts'
import type { Log } from '@freshet/stage/log.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import type { KafkaConnection } from './connect.ts'
import type { IncomingMessage } from './consumer.ts'
import type { RestartedLog } from './group/group-options.ts'
import { tail } from './tail.ts'

const BACK_OFF: BackOff = { firstMs: 500, maxMs: 5_000 }
const TELL_EVERY_MS = 60_000

export interface FollowOptions {
  readonly connection: KafkaConnection
  readonly topic: string
  /** What is of this time and later is heard, also what was said before. */
  readonly sinceMs: number
  /** How late something may be heard: the less there is to hear at once, the more hearing it costs. */
  readonly gatherMs: number
  readonly clock: Clock
  readonly log: Log
  /** What it means that the topic cannot be followed, for the log. */
  readonly otherwise: string
  readonly onMessage: (partition: number, message: IncomingMessage) => void
  /** All is heard that was there when the following began, or began again after an error. */
  readonly onUpToDate?: () => void
  /** What was heard may be of a topic that is gone: see GroupConsumerOptions. */
  readonly onOutside?: (partition: number, log: RestartedLog) => void
}

/** Follows a topic until `signal` aborts, through every outage of Kafka. Each message comes once, also of a topic that was made anew. */
export async function followTopic(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { connection, topic, sinceMs, gatherMs, clock, log, otherwise, onUpToDate } = options
  const nextOffsets = new Map<number, number>()
  const lines = new Throttle(TELL_EVERY_MS, clock)
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      await tail(connection, topic, {
        ...{ fromTimestampMs: sinceMs, from: nextOffsets, gatherMs, signal },
        onMessage: (partition, message) => {
          attempt = 0
          options.onMessage(partition, message)
          nextOffsets.set(partition, message.offset + 1)
        },
        ...(onUpToDate && { onUpToDate }),
        onOutside(partition, log) {
          nextOffsets.set(partition, log.offset)
          options.onOutside?.(partition, log)
        },
      })
    } catch (error) {
      const leftOut = signal.aborted ? null : lines.pass(toFreshetError(error).code)
      if (leftOut !== null)
        log.warn(`${topic} cannot be followed: ${otherwise}`, {
          ...errorAttributes(error),
          ...(leftOut > 0 && { [ATTRIBUTES.linesLeftOut]: leftOut }),
        })
    }
    await clock.sleep(delayMs(BACK_OFF, attempt, Math.random), signal)
  }
}
