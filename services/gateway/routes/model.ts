import { FreshetError } from '@freshet/errors/errors.ts'
import { z } from 'zod'
import type { AppParts } from '../app-env.ts'
import { jsonReply } from '../reply.ts'
import type { Route } from './route.ts'

const identity = {
  name: z.string(),
  version: z.string(),
  sha256: z.string().meta({ description: 'Of model.onnx, in hex.' }),
}

const modelSchema = z
  .strictObject({
    model: z.string().meta({ description: '`name@version`, as answers have it.' }),
    ...identity,
    generation: z
      .int()
      .meta({ description: 'Counts promotions: a score of a higher one outranks those of lower ones.' }),
    promoted_at: z.iso.datetime().meta({ description: 'Since when it is the promoted one.' }),
    inputs: z
      .record(z.string(), z.unknown())
      .meta({ description: 'What it looks at in a document, as its model.json says.' }),
    outputs: z
      .array(z.record(z.string(), z.unknown()))
      .meta({ description: 'What it answers, as its model.json says; `score` is the first.' }),
    shadow: z
      .strictObject({ model: z.string(), ...identity, since: z.iso.datetime() })
      .nullable()
      .meta({ description: 'Scores beside it, for comparison only; null when none does, or none is known.' }),
    degraded: z.boolean().meta({
      description: 'True when another is promoted and does not serve, or the promotion is not known.',
    }),
    reason: z.string().optional().meta({ description: 'The code of what is in its way.' }),
  })
  .meta({ id: 'Model' })

export type ModelPage = z.infer<typeof modelSchema>

/** `GET /v1/model`: which model serves here. */
export function modelRoute({ model }: Pick<AppParts, 'model'>): Route {
  return {
    method: 'GET',
    path: '/v1/model',
    access: 'any key',
    id: 'getModel',
    summary: 'The model that serves',
    description: 'What live scores come from; a stored score names its own.',
    replies: { 200: { description: 'The model.', mediaType: 'application/json', schema: modelSchema } },
    errors: ['MODEL_MISSING'],
    async handle({ deadline }) {
      const page = await model(deadline)
      if (page === null) throw new FreshetError('MODEL_MISSING', 'no model serves here yet')
      return jsonReply(page)
    },
  }
}
