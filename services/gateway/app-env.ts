import type { Log } from '@freshet/stage/log.ts'
import type { Access, Caller } from './keys/access.ts'
import type { Ladder } from './ladder/ladder.ts'
import type { LiveRung } from './live/live-rung.ts'
import type { RequestRecord } from './request-record.ts'

/** What the app and its routes are built from. */
export interface AppParts {
  readonly ladder: Ladder
  readonly live: Pick<LiveRung, 'score'>
  readonly access: Access
  readonly record: RequestRecord
  readonly readiness: () => Readiness
  readonly log: Log
  readonly limits: {
    readonly deadlineMs: number
    readonly maxBodyBytes: number
    readonly cacheBudgetMs: number
  }
}

/** What Hono carries from one handler to the next; ours carry a Call. */
export interface AppEnv {
  readonly Variables: { caller: Caller }
}

/** Which rungs can answer right now; a reason where one cannot. */
export interface Readiness {
  readonly cache: RungState
  readonly snapshot: RungState
  readonly live: RungState
  readonly default: RungState
}

interface RungState {
  readonly ready: boolean
  readonly reason?: string
  readonly model?: string
}
