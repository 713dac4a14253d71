import type { Log } from '@freshet/stage/log.ts'
import type { Access } from './keys/access.ts'
import type { Ladder } from './ladder/ladder.ts'
import type { LiveRung } from './live/live-rung.ts'
import type { ModelPage } from './live/model-page-schema.ts'
import type { ManyLookups } from './many/many-lookups.ts'
import type { Family } from './metrics/prometheus-text.ts'
import type { RankParts } from './rank/open-rank.ts'
import type { RequestRecord } from './request-record.ts'
import type { Readiness } from './routes/readiness.ts'
import type { Deadline } from './server/deadline.ts'
import type { WorkInHand } from './server/work-in-hand.ts'

/** What the app and its routes are built from. */
export interface AppParts {
  readonly ladder: Ladder
  readonly many: ManyLookups
  readonly live: Pick<LiveRung, 'score' | 'scoreAll'>
  readonly rank: RankParts
  readonly access: Access
  readonly record: RequestRecord
  /** Of heavy requests. */
  readonly work: WorkInHand
  readonly readiness: () => Readiness
  /** The model that serves; null when none does. Ends within the deadline. */
  readonly model: (deadline: Deadline) => Promise<ModelPage | null>
  /** Everything that is counted. */
  readonly figures: () => Promise<readonly Family[]>
  readonly log: Log
  readonly limits: {
    readonly deadlineMs: number
    readonly maxBodyBytes: number
    readonly cacheBudgetMs: number
  }
}
