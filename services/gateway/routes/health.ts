import { Hono } from 'hono'
import type { AppEnv } from '../app.ts'
import { jsonReply } from '../reply.ts'

/** Which rungs can answer right now; a reason where one cannot. */
export interface Readiness {
  readonly cache: RungState
  readonly snapshot: RungState
  readonly live: RungState
  readonly default: RungState
}

export interface RungState {
  readonly ready: boolean
  readonly reason?: string
  readonly model?: string
}

/** `/healthz`: the process lives. `/readyz`: some rung can answer for a key; 503 when none can. */
export function healthRoutes(readiness: () => Readiness): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  app.get('/healthz', () => jsonReply({ status: 'alive' }))
  app.get('/readyz', () => {
    const rungs = readiness()
    const isReady = rungs.cache.ready || rungs.snapshot.ready || rungs.default.ready
    return jsonReply({ status: isReady ? 'ready' : 'not ready', rungs }, isReady ? 200 : 503)
  })
  return app
}
