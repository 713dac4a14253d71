import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { readLag } from '@freshet/adapters/kafka/lag.ts'
import { tail } from '@freshet/adapters/kafka/read-all.ts'
import { toFreshetError } from '@freshet/errors/errors.ts'
import { ALERT_STATE_KEY } from '@freshet/records/alert-state.ts'
import { type Heartbeat, heartbeatRecord } from '@freshet/records/heartbeat.ts'
import { consumerGroups, topicName } from '@freshet/records/topics.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { type BackOff, delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { DeadLetterWindow } from './dead-letter-window.ts'
import type { Facts, GroupLag, Instance } from './judge.ts'

/** As long as the topic keeps heartbeats, so that a watchdog that starts knows as much as one that runs. */
const REMEMBER_MS = 3_600_000
const DEAD_LETTERS_WINDOW_MS = 300_000
const BACK_OFF: BackOff = { firstMs: 500, maxMs: 5_000 }

export interface FactReaderOptions {
  readonly connection: KafkaConnection
  readonly pipeline: string
  readonly clock: Clock
  readonly log: Log
}

/** Sees the pipeline from outside: how far its consumer groups are, and what its instances say. */
export class FactReader {
  readonly #options: FactReaderOptions
  readonly #instances = new Map<string, Instance>()
  readonly #deadLetters = new DeadLetterWindow(DEAD_LETTERS_WINDOW_MS)
  readonly #startedAtMs: number
  #answersSinceMs: number | null = null

  constructor(options: FactReaderOptions) {
    this.#options = options
    this.#startedAtMs = options.clock.nowMs()
  }

  /** Follows the heartbeats until `signal` aborts, through every outage of Kafka. */
  async listen(signal: AbortSignal): Promise<void> {
    const { connection, pipeline, clock, log } = this.#options
    const topic = topicName(pipeline, 'heartbeats')
    let fromTimestampMs = this.#startedAtMs - REMEMBER_MS
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const onMessage = (_partition: number, message: IncomingMessage) => {
          attempt = 0
          fromTimestampMs = Math.max(fromTimestampMs, message.timestampMs)
          this.#hear(message)
        }
        await tail(connection, topic, { fromTimestampMs, onMessage, signal })
      } catch (error) {
        const { code, message } = toFreshetError(error)
        log.warn('heartbeats cannot be followed', {
          [ATTRIBUTES.errorType]: code,
          [ATTRIBUTES.exceptionMessage]: message,
        })
      }
      await clock.sleep(delayMs(BACK_OFF, attempt, Math.random), signal)
    }
  }

  /** One look; Kafka being away is a fact, not an error. */
  async look(): Promise<Facts> {
    const { connection, pipeline, clock } = this.#options
    let groups: GroupLag[]
    try {
      groups = await Promise.all(
        consumerGroups(pipeline).map(async (group) => ({
          ...group,
          partitions: await readLag(connection, group),
        })),
      )
    } catch (error) {
      this.#answersSinceMs = null
      return { kafka: 'unreachable', nowMs: clock.nowMs(), error: toFreshetError(error) }
    }
    const nowMs = clock.nowMs()
    this.#answersSinceMs ??= nowMs
    this.#forgetBefore(nowMs - REMEMBER_MS)
    return {
      kafka: 'reachable',
      nowMs,
      answersSinceMs: this.#answersSinceMs,
      groups,
      instances: [...this.#instances.values()],
      recentDeadRows: this.#deadLetters.recent(nowMs),
    }
  }

  #hear({ key, value, timestampMs }: IncomingMessage): void {
    const name = key?.toString() ?? ''
    if (name === ALERT_STATE_KEY || value === null) return
    const heartbeat = this.#decode(name, value)
    const known = this.#instances.get(name)
    if (heartbeat === undefined || (known !== undefined && known.heartbeat.atMs >= heartbeat.atMs)) return
    // What was said before we listened was heard when it was said; from then on our own clock counts.
    const heardAtMs = timestampMs < this.#startedAtMs ? timestampMs : this.#options.clock.nowMs()
    this.#instances.set(name, { heartbeat, heardAtMs })
    this.#deadLetters.hear(heartbeat, heardAtMs)
  }

  #decode(name: string, value: Buffer): Heartbeat | undefined {
    try {
      return heartbeatRecord.decode(value)
    } catch (error) {
      const { code, message } = toFreshetError(error)
      this.#options.log.warn(`the heartbeat of ${name} cannot be read`, {
        [ATTRIBUTES.errorType]: code,
        [ATTRIBUTES.exceptionMessage]: message,
      })
      return undefined
    }
  }

  #forgetBefore(atMs: number): void {
    for (const [name, { heartbeat, heardAtMs }] of this.#instances) {
      if (heardAtMs >= atMs) continue
      this.#instances.delete(name)
      this.#deadLetters.forget(heartbeat.instance)
    }
  }
}
