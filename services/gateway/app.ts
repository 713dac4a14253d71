import type { IncomingMessage } from 'node:http'
import { type Context, Hono } from 'hono'
import type { AppParts } from './app-parts.ts'
import { responseOf } from './reply.ts'
import { withDocs } from './routes/docs.ts'
import { healthRoutes } from './routes/health.ts'
import { manyScoresRoute } from './routes/many-scores.ts'
import { metricsRoute } from './routes/metrics.ts'
import { modelRoute } from './routes/model.ts'
import { predictRoute } from './routes/predict.ts'
import { rankRoute } from './routes/rank.ts'
import type { Route } from './routes/route.ts'
import { scoreRoutes } from './routes/scores.ts'
import { serve, serveNothing } from './routes/serve.ts'
import { acceptedAtMs } from './server/intake.ts'
import type { PlainRoutes } from './server/plain/plain-connection.ts'

/**
 * The gateway's HTTP face: whatever `routesOf` names, and nothing beside it. A route says for itself who may ask, what it
 * takes and what it answers (routes/route.ts); `serve` asks for the key, keeps the deadline, counts, and makes problems
 * of errors, so no handler does.
 */
export function createApp(parts: AppParts): Hono {
  const app = new Hono()
  const routes = routesOf(parts)
  for (const route of routes) {
    const answer = serve(route, parts)
    app.on(route.method, [patternOf(route)], (context): Response | Promise<Response> => {
      const reply = answer(context.req.raw, acceptedAtMs(incomingOf(context)))
      return reply instanceof Promise ? reply.then(responseOf) : responseOf(reply)
    })
  }
  const methods = [...new Set(routes.map(({ method }) => method))]
  const methodsAt = (path: string) => methods.filter((method) => app.router.match(method, path)[0].length > 0)
  const refuse = serveNothing(parts, methodsAt)
  app.notFound((context) =>
    responseOf(refuse(context.req.raw, context.req.path, acceptedAtMs(incomingOf(context)))),
  )
  return app
}

/** What @hono/node-server hands on with each request; nobody does in a test of the app alone. */
function incomingOf({ env }: Context): IncomingMessage | undefined {
  return (env as { readonly incoming?: IncomingMessage } | undefined)?.incoming
}

/** Everything that can be asked for. */
export function routesOf(parts: AppParts): readonly Route[] {
  return withDocs([
    ...scoreRoutes(parts),
    manyScoresRoute(parts),
    predictRoute(parts),
    rankRoute(parts),
    modelRoute(parts),
    ...healthRoutes(parts.readiness),
    metricsRoute(parts),
  ])
}

/** What is asked for nearly always, to be called without the app around it (server/plain). */
export function plainRoutesOf(parts: AppParts): PlainRoutes {
  const [lookup, lookupByQuery] = scoreRoutes(parts)
  return {
    lookup: serve(lookup, parts),
    lookupByQuery: serve(lookupByQuery, parts),
    predict: serve(predictRoute(parts), parts),
  }
}

function patternOf({ path, pattern }: Route): string {
  return pattern ?? path
}
