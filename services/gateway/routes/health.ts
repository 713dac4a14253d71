import { Hono } from 'hono'
import type { AppEnv, Readiness } from '../app-env.ts'
import { jsonReply } from '../reply.ts'
import { refuseMethod } from './method.ts'

/** `/healthz`: the process lives. `/readyz`: some rung can answer for a key; 503 when none can. */
export function healthRoutes(readiness: () => Readiness): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  app.get('/healthz', () => jsonReply({ status: 'alive' }))
  app.get('/readyz', () => {
    const rungs = readiness()
    const isReady = rungs.cache.ready || rungs.snapshot.ready || rungs.default.ready
    return jsonReply({ status: isReady ? 'ready' : 'not ready', rungs }, isReady ? 200 : 503)
  })
  for (const path of ['/healthz', '/readyz']) app.all(path, refuseMethod(path, 'GET, HEAD'))
  return app
}
