import { compareRevisions, type Revision } from '@freshet/records/revision.ts'
import { type RowState, STATE } from '@freshet/records/score-batch.ts'
import type { Standing } from './verify-report.ts'

/** What the snapshot holds of one key. */
export interface HeldRow {
  readonly revision: Revision
  readonly modelGeneration: number
  readonly state: RowState
}

/** The same as all rows see it. */
export interface JudgeContext {
  /** Of the promoted model; 0 when there is none. */
  readonly generation: number
  /** Whether a shard that exists is captured under this epoch. */
  isLiveEpoch(epoch: number): boolean
}

/** `hidden`: a row outranks the document although it should not, so emitting it again does not help. */
export interface Judgement {
  readonly standing: Standing
  readonly hidden: boolean
}

/**
 * How a living document stands.
 * @param document its revision, as it lives now
 * @param row      the row of highest rank of its key
 */
export function judge(document: Revision, row: HeldRow | undefined, context: JudgeContext): Judgement {
  if (row === undefined) return { standing: 'missing', hidden: false }
  const outranks = compareRevisions(row.revision, document) >= 0
  if (row.state === 'deleted') return { standing: 'missing', hidden: outranks }
  if (!outranks) return { standing: 'stale', hidden: false }
  // A copy of the key in an index that is no more.
  if (!context.isLiveEpoch(row.revision.epoch)) return { standing: 'stale', hidden: true }
  const standing = standingOfCurrent(STATE[row.state], row.modelGeneration, context.generation)
  return { standing, hidden: false }
}

/** Of a row that speaks of the current revision. @param state index into ROW_STATES */
export function standingOfCurrent(
  state: number,
  modelGeneration: number,
  generation: number,
): Extract<Standing, 'scored' | 'olderModel' | 'newerModel' | 'setAside'> {
  if (state === STATE.unscorable) return 'setAside'
  if (modelGeneration > generation) return 'newerModel'
  return modelGeneration < generation ? 'olderModel' : 'scored'
}
