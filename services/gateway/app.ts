import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { Answer } from '@freshet/records/answer.ts'
import type { Log } from '@freshet/stage/log.ts'
import { Hono } from 'hono'
import type { ApiKeys } from './api-keys.ts'
import { type Deadline, deadlineOf } from './deadline.ts'
import type { Ladder } from './ladder.ts'
import type { LiveRung } from './live-rung.ts'
import { problemReply } from './reply.ts'
import type { RequestRecord } from './request-record.ts'
import { healthRoutes, type Readiness } from './routes/health.ts'
import { predictRoute } from './routes/predict.ts'
import { scoresRoute } from './routes/scores.ts'

export interface AppParts {
  readonly ladder: Ladder
  readonly live: Pick<LiveRung, 'score'>
  readonly keys: ApiKeys
  readonly record: RequestRecord
  readonly readiness: () => Readiness
  readonly log: Log
  readonly limits: {
    readonly deadlineMs: number
    readonly maxBodyBytes: number
    readonly cacheBudgetMs: number
  }
}

/** What a request carries from one handler to the next. */
export interface AppEnv {
  readonly Variables: {
    deadline: Deadline
    route: string
    /** Set by the route that answers. */
    answer: Answer | undefined
  }
}

/** The gateway's HTTP face. Everything under /v1 has a deadline, is recorded, and wants a key when keys are configured. */
export function createApp(parts: AppParts): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  app.use('/v1/*', async (context, next) => {
    const acceptedAtMs = performance.now()
    const startedAtMs = Date.now()
    const limit = parts.limits.deadlineMs
    context.set('deadline', deadlineOf(acceptedAtMs, limit, null)) // holds for a request whose own is refused
    await next()
    parts.record.keep({
      method: context.req.method,
      route: context.get('route') ?? '/v1/*',
      status: context.res.status,
      answer: context.get('answer'),
      startedAtMs,
      isLate: performance.now() > context.get('deadline').endsAtMs,
      traceparent: context.req.header('traceparent') ?? null,
      error: context.error,
    })
  })
  if (parts.keys.areNeeded)
    app.use('/v1/*', async ({ req }, next) => {
      if (parts.keys.holderOf(req.raw.headers) === undefined)
        throw new FreshetError('API_KEY_REFUSED', 'no key, or none of ours')
      await next()
    })
  app.route('/', scoresRoute(parts))
  app.route('/', predictRoute(parts))
  app.route('/', healthRoutes(parts.readiness))
  app.notFound(({ req }) => problemReply(new FreshetError('ROUTE_UNKNOWN', `${req.method} ${req.path}`)))
  app.onError((error) => {
    const known = toFreshetError(error)
    const reply = problemReply(known)
    if (reply.status >= 500) parts.log.error('a request failed', known)
    return reply
  })
  return app
}
