import { z } from 'zod'
import type { AppParts } from '../app-parts.ts'
import { ManyAnswers } from './many-answers.ts'
import { readBody } from './read-body.ts'
import type { Route } from './route.ts'
import { absenceSchema, answerSchema, keySchema, MAX_KEYS } from './schemas.ts'

const bodySchema = z.strictObject({ keys: z.array(keySchema).min(1).max(MAX_KEYS) })

const answersSchema = z.strictObject({
  answers: z
    .array(z.union([answerSchema, absenceSchema]))
    .meta({ description: 'One for each key, in the order in which they were asked for.' }),
  degraded: z.boolean().meta({ description: 'Whether any of the answers is.' }),
})

/**
 * `POST /v1/scores`: the stored scores of up to 1,000 keys, each as `GET /v1/scores/{key}` answers, but for values of Redis
 * that are no scores: MGET says nothing of them.
 */
export function manyScoresRoute({ many, limits }: Pick<AppParts, 'many' | 'limits'>): Route {
  return {
    method: 'POST',
    path: '/v1/scores',
    access: 'lookup',
    id: 'getScores',
    summary: 'The scores of many documents',
    description: `Up to ${MAX_KEYS} keys, twice the same if need be. All share one deadline; for what a store could not be asked in time the next one answers, and says so.`,
    body: bodySchema,
    replies: {
      200: {
        description: 'An answer for each key, or why there is none.',
        mediaType: 'application/json',
        schema: answersSchema,
        hasAnswerHeaders: true,
      },
    },
    errors: [],
    async handle(call) {
      const { keys } = await readBody(call, bodySchema, limits.maxBodyBytes)
      const answers = new ManyAnswers(call, keys.length)
      await many.lookUp(keys, call.deadline, (outcome, at) => {
        if (outcome.kind === 'answer') answers.put(at, outcome.answer, outcome.rank)
        else answers.putOther(at, { key: keys[at]!, absent: outcome.why })
      })
      return answers.reply()
    },
  }
}
