import { FreshetError } from '@freshet/errors/errors.ts'
import type { AppParts } from '../app-parts.ts'
import { modelPageSchema } from '../live/model-page-schema.ts'
import { jsonReply } from '../reply.ts'
import type { Route } from './route.ts'

/** `GET /v1/model`: which model serves here. */
export function modelRoute({ model }: Pick<AppParts, 'model'>): Route {
  return {
    method: 'GET',
    path: '/v1/model',
    access: 'any key',
    id: 'getModel',
    summary: 'The model that serves',
    description: 'What live scores come from; a stored score names its own.',
    replies: { 200: { description: 'The model.', mediaType: 'application/json', schema: modelPageSchema } },
    errors: ['MODEL_MISSING', 'MODEL_HASH', 'MODEL_INVALID', 'MODEL_GOLDEN', 'S3_UNREACHABLE'],
    async handle({ deadline }) {
      const page = await model(deadline)
      if (page === null) throw new FreshetError('MODEL_MISSING', 'no model serves here yet')
      return jsonReply(page)
    },
  }
}
