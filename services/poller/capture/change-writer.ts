import { ResponseBuffers } from '@freshet/adapters/elasticsearch/response-buffers.ts'
import type { Producer } from '@freshet/adapters/kafka/producer.ts'
import { ChangeMessages } from '@freshet/capture/changes-to-messages.ts'
import {
  type HitToChange,
  hitToChange,
  isUnusable,
  type Page,
  type Unusable,
} from '@freshet/capture/hit-to-change.ts'
import type { Scope } from '@freshet/capture/scope.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { Hits } from '@freshet/records/hit.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { StageReport } from '@freshet/service/service.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { DeadDocuments } from './dead-documents.ts'
import { TracedChanges } from './traced-changes.ts'

export interface ChangeWriterOptions {
  readonly settings: Pick<Settings, 'pipeline' | 'kafka'>
  readonly scope: Scope
  /** The largest message that the topics take. */
  readonly maxMessageBytes: number
  readonly producer: Pick<Producer, 'send'>
  readonly telemetry: Pick<Telemetry, 'log' | 'metrics' | 'traced'>
  readonly clock: Clock
  readonly report: Pick<StageReport, 'progressed'>
}

/** (1→2) Writes what was read into `.changes`, and what cannot be a change into `.dead`. One for all shards of a process. */
export class ChangeWriter {
  /** Of the pages that are read to be written here, to be given back when they are. */
  readonly buffers = new ResponseBuffers()
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
   * @returns whether nobody looks at the hits' bytes any more
   * @throws as Producer.send does
   */
  async write(hits: Hits, page: Page, signal: AbortSignal): Promise<boolean> {
    const { producer, settings, telemetry, clock, report } = this.#options
    const messages = new ChangeMessages(page, hits.length, settings.kafka.partitions)
    const traced = new TracedChanges(telemetry.traced, clock.nowMs())
    const unusable: Unusable[] = []
    for (let row = 0; row < hits.length; row++) {
      const hit = hits.at(row)!
      const made = this.#toChange(hit, page)
      if (made === undefined) continue
      if (isUnusable(made)) {
        unusable.push(made)
        traced.see(made.change, hit.index, { code: made.code, message: made.reason })
      } else {
        messages.add(made)
        traced.see(made, hit.index)
      }
    }
    await this.#dead.send(unusable, signal)
    await producer.send(this.#topic, messages.list, signal)
    messages.release()
    traced.leave(page.trace, clock.nowMs())
    telemetry.metrics.add('freshet.poller.changes', messages.list.length)
    report.progressed('capture', hits.length)
    return unusable.length === 0
  }
}
