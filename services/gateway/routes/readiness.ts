import { z } from 'zod'

const rungSchema = z.strictObject({
  ready: z.boolean(),
  reason: z.string().optional().meta({ description: 'Why it is not.' }),
  model: z.string().optional().meta({ description: '`name@version`' }),
})

export const readinessSchema = z.strictObject({
  status: z.enum(['ready', 'not ready']),
  rungs: z.strictObject({ cache: rungSchema, snapshot: rungSchema, live: rungSchema, default: rungSchema }),
})

/** Which rungs can answer right now; a reason where one cannot. */
export type Readiness = z.infer<typeof readinessSchema>['rungs']
