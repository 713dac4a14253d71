import type { OutgoingMessage, Producer } from '@freshet/adapters/kafka/producer.ts'
import { changeToMessage } from '@freshet/capture/change-to-message.ts'
import { type HitToChange, hitToChange, type Page, type Unusable } from '@freshet/capture/hit-to-change.ts'
import type { Scope } from '@freshet/capture/scope.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { Hit } from '@freshet/records/hit.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { StageReport } from '@freshet/service/service.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { DeadDocuments } from './dead-documents.ts'

export interface ChangeWriterOptions {
  readonly settings: Pick<Settings, 'pipeline' | 'kafka'>
  readonly scope: Scope
  /** The largest message that the topics take. */
  readonly maxMessageBytes: number
  readonly producer: Pick<Producer, 'send'>
  readonly telemetry: Pick<Telemetry, 'log' | 'metrics'>
  readonly clock: Clock
  readonly report: Pick<StageReport, 'progressed'>
}

/** 2: writes what was read into `.changes`, and what cannot be a change into `.dead`. One for all shards of a process. */
export class ChangeWriter {
  readonly #options: ChangeWriterOptions
  readonly #topic: string
  readonly #toChange: HitToChange
  readonly #dead: DeadDocuments

  constructor(options: ChangeWriterOptions) {
    this.#options = options
    this.#topic = topicName(options.settings.pipeline, 'changes')
    this.#toChange = hitToChange(options.scope, options.maxMessageBytes)
    this.#dead = new DeadDocuments(options)
  }

  /**
   * Resolves when Kafka has acknowledged all that the hits have become; only then may a cursor pass them. Written twice,
   * they stand there twice, at the same revisions.
   * @throws as Producer.send does
   */
  async write(hits: readonly Hit[], page: Page, signal: AbortSignal): Promise<void> {
    const { producer, settings, telemetry, report } = this.#options
    const messages: OutgoingMessage[] = []
    const unusable: Unusable[] = []
    for (const hit of hits) {
      const made = this.#toChange(hit, page)
      if (made === undefined) continue
      if ('code' in made) unusable.push(made)
      else messages.push(changeToMessage(made, settings.kafka.partitions))
    }
    await this.#dead.send(unusable, signal)
    await producer.send(this.#topic, messages, signal)
    telemetry.metrics.add('freshet.poller.changes', messages.length)
    report.progressed('capture', hits.length)
  }
}
