import type { Cursor } from '@freshet/records/cursor.ts'
import type { Effect } from '../../capture/capture-state.ts'
import type { Chance } from '../chance.kit.ts'
import type { ClusterModel } from '../elasticsearch/cluster-model.kit.ts'
import type { Operation } from '../elasticsearch/copy.kit.ts'
import { cursorPartition, type KafkaModel } from '../kafka/kafka-model.kit.ts'
import type { StoreModel } from '../kafka/store-model.kit.ts'
import type { Witness } from '../witness.kit.ts'
import type { Rules } from './rules.kit.ts'

/** What a poller's process stands in, and what it is. */
export interface Process {
  readonly cluster: ClusterModel
  readonly kafka: KafkaModel
  readonly store: StoreModel
  readonly rules: Rules
  readonly witness: Witness
  readonly nowMs: () => number
  readonly chance: Chance
  /** Of the process: one that is started again has another. */
  readonly name: string
  /** Of the configuration that it has read. */
  readonly scope: Scope
  /** How far its clock is ahead. */
  readonly skewMs: number
}

/** What is captured: every document, or those that are not marked. */
export type Scope = 'all' | 'unmarked'

export interface Task {
  readonly key: string
  readonly flights: readonly Flight[]
  /** The flight ends well. */
  complete(flight: Flight): void
  /**
   * It fails for the poller.
   * @param isDone all the same: only the answer is lost
   */
  fail(flight: Flight, isDone: boolean): void
}

/** An effect under way, with the page that was read last and the cursor as it began. */
export interface Flight {
  readonly task: Task
  readonly effect: Effect
  readonly page: readonly Operation[]
  readonly cursor: Cursor
  /** It takes much longer than others. */
  readonly isSlow: boolean
}

/** What a flight does to Kafka, also when nobody waits for it any more. */
export function land(process: Process, { task, effect, page, cursor }: Flight): void {
  const { kafka, witness, name, nowMs } = process
  if (effect.kind === 'save') {
    const log = kafka.cursors[cursorPartition(task.key)]!
    log.append({ key: task.key, value: effect.cursor, writer: name, atMs: nowMs() })
    witness.saved(process, task.key, effect.cursor)
  } else if (effect.kind === 'produce') {
    const written = page.filter((_, row) => !effect.skip.has(row))
    for (const { id, seqNo, primaryTerm, kind } of written) {
      const revision = { documentVersion: 0, epoch: cursor.epoch, primaryTerm, seqNo }
      const isDelete = kind === 'marked' && process.scope === 'unmarked'
      const value = { revision, isDelete }
      kafka.changes.append({ key: `${cursor.index}/${id}`, value, writer: name, atMs: nowMs() })
    }
    witness.produced(process, cursor, written)
  }
}
