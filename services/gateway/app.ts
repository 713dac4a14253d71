import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { Hono } from 'hono'
import type { AppEnv, AppParts } from './app-env.ts'
import { RateLimited } from './keys/rate-limited.ts'
import { problemReply } from './reply.ts'
import { healthRoutes } from './routes/health.ts'
import { predictRoute } from './routes/predict.ts'
import { scoresRoute } from './routes/scores.ts'
import { deadlineOf } from './server/deadline.ts'

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
  app.route('/', scoresRoute(parts))
  app.route('/', predictRoute(parts))
  app.route('/', healthRoutes(parts.readiness))
  app.notFound(({ req }) => problemReply(new FreshetError('ROUTE_UNKNOWN', `${req.method} ${req.path}`)))
  app.onError((error) => {
    const known = toFreshetError(error)
    const reply = problemReply(known, known instanceof RateLimited ? known : {})
    if (reply.status >= 500) parts.log.error('a request failed', known)
    return reply
  })
  return app
}
