import { Buffer } from 'node:buffer'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { ALERT_STATE_KEY, type AlertState, alertStateRecord } from '@freshet/records/alert-state.ts'
import { SPEAKER_KEY, type SpeakerClaim, speakerClaimRecord } from '@freshet/records/control.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { readLast } from '../read-last.ts'

const SAVE_WITHIN_MS = 5_000
/** Figures of an alert that change with every look are written so often at most. */
const REFRESH_MS = 30_000

/** Writes what the watchdogs must not forget to `.control`; it is read by the ControlView. */
export class AlertStore implements AsyncDisposable {
  readonly #connection: KafkaConnection
  readonly #pipeline: string
  readonly #clock: Clock
  readonly #producer: Producer
  #saved = { substance: '', text: '', atMs: 0 }

  constructor(
    connection: KafkaConnection,
    { pipeline, clock, log }: { pipeline: string; clock: Clock; log: Log },
  ) {
    this.#connection = connection
    this.#pipeline = pipeline
    this.#clock = clock
    this.#producer = new Producer(connection, { clock, log, deadlineMs: SAVE_WITHIN_MS })
  }

  /** @throws KAFKA_PRODUCE_DEADLINE */
  async claim(claim: SpeakerClaim, signal: AbortSignal): Promise<void> {
    this.forgetSaved()
    await this.#write(SPEAKER_KEY, speakerClaimRecord.encode(claim), signal)
  }

  /** What was written may not stand any more: the next save writes, news or not. */
  forgetSaved(): void {
    this.#saved = { substance: '', text: '', atMs: 0 }
  }

  /** Writes what is news at once, and what are only other figures now and then. @throws KAFKA_PRODUCE_DEADLINE */
  async save(state: AlertState, signal: AbortSignal): Promise<void> {
    const text = JSON.stringify({ ...state, lookedAtMs: 0 })
    const substance = substanceOf(state)
    const nowMs = this.#clock.nowMs()
    if (text === this.#saved.text) return
    if (substance === this.#saved.substance && nowMs - this.#saved.atMs < REFRESH_MS) return
    await this.#write(ALERT_STATE_KEY, alertStateRecord.encode(state), signal)
    this.#saved = { substance, text, atMs: nowMs }
  }

  /** Takes what stands under these keys out of `.control`. @throws KAFKA_PRODUCE_DEADLINE */
  async remove(keys: readonly string[], signal: AbortSignal): Promise<void> {
    const messages = keys.map((key) => ({ partition: 0, key: Buffer.from(key), value: null }))
    await this.#producer.send(topicName(this.#pipeline, 'control'), messages, signal)
  }

  /**
   * What a watchdog of an older build remembered: it kept it in `.heartbeats`, which forgets after an hour.
   * @returns undefined when there is nothing
   * @throws KAFKA_UNREACHABLE, DEADLINE, RECORD_MALFORMED
   */
  async loadOlder(signal: AbortSignal): Promise<AlertState | undefined> {
    const topic = topicName(this.#pipeline, 'heartbeats')
    const last = await readLast(this.#connection, { topic, key: ALERT_STATE_KEY }, signal)
    return last === null ? undefined : alertStateRecord.decode(last)
  }

  async #write(key: string, text: string, signal: AbortSignal): Promise<void> {
    const message = { partition: 0, key: Buffer.from(key), value: Buffer.from(text) }
    await this.#producer.send(topicName(this.#pipeline, 'control'), [message], signal)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#producer[Symbol.asyncDispose]()
  }
}

/** Without what moves from look to look. */
function substanceOf({ term, alerts, untold }: AlertState): string {
  const fixed = alerts.map(({ finding, measures: _, ...alert }) => ({ ...alert, id: finding.id }))
  return JSON.stringify([term, fixed, untold])
}
