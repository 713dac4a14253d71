import { z } from 'zod'
import { jsonReply } from '../reply.ts'
import { type Readiness, readinessSchema } from './readiness.ts'
import type { Route } from './route.ts'

/** `/healthz`: the process lives. `/readyz`: some rung can answer for a key; 503 when none can. */
export function healthRoutes(readiness: () => Readiness): readonly Route[] {
  const reply = (description: string, schema: z.ZodType) => ({
    description,
    mediaType: 'application/json',
    schema,
  })
  return [
    {
      method: 'GET',
      path: '/healthz',
      access: 'open',
      id: 'isAlive',
      summary: 'Is the process alive',
      description: 'It is when it answers.',
      replies: { 200: reply('It is.', z.strictObject({ status: z.literal('alive') })) },
      errors: [],
      handle: () => jsonReply({ status: 'alive' }),
    },
    {
      method: 'GET',
      path: '/readyz',
      access: 'open',
      id: 'isReady',
      summary: 'Which sources can answer now',
      description: 'One that has a score for some key is enough to be ready.',
      replies: {
        200: reply('At least one can.', readinessSchema),
        503: reply('None can.', readinessSchema),
      },
      errors: [],
      handle() {
        const rungs = readiness()
        const isReady = rungs.cache.ready || rungs.snapshot.ready || rungs.default.ready
        return jsonReply({ status: isReady ? 'ready' : 'not ready', rungs }, isReady ? 200 : 503)
      },
    },
  ]
}
