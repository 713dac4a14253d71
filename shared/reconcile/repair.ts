import type { Buffer } from 'node:buffer'
import type { Producer } from '@freshet/adapters/kafka/producer.ts'
import { changeToMessage } from '@freshet/capture/change-to-message.ts'
import type { Change } from '@freshet/records/change.ts'
import type { Revision } from '@freshet/records/revision.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { RepairReport } from './verify-report.ts'

export interface RepairWorld {
  readonly pipeline: string
  /** Of `.changes`. */
  readonly partitions: number
  readonly producer: Pick<Producer, 'send'>
}

/**
 * Emits again what the stores lack. Every change has the revision that its document has anyway, so whatever is newer
 * wins over it; and as the last record of its key in `.changes` it undoes what a late older one had hidden there.
 */
export class Repair {
  readonly #world: RepairWorld
  readonly #report = { emitted: 0, tombstones: 0 }

  constructor(world: RepairWorld) {
    this.#world = world
  }

  get report(): RepairReport {
    return { ...this.#report }
  }

  /** @throws as Producer.send does */
  async emit(changes: readonly Change[], signal: AbortSignal): Promise<void> {
    await this.#send(changes, signal)
    this.#report.emitted += changes.length
  }

  /** @param capturedAtMs when they lived no more. @throws as Producer.send does */
  async bury(
    dead: readonly { readonly key: Buffer; readonly revision: Revision }[],
    capturedAtMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const deletes = dead.map(({ key, revision }) => ({
      key,
      revision,
      capturedAtMs,
      source: null,
      trace: null,
    }))
    await this.#send(deletes, signal)
    this.#report.tombstones += deletes.length
  }

  async #send(changes: readonly Change[], signal: AbortSignal): Promise<void> {
    const { pipeline, partitions, producer } = this.#world
    const messages = changes.map((change) => changeToMessage(change, partitions))
    await producer.send(topicName(pipeline, 'changes'), messages, signal)
  }
}
