import { z } from 'zod'
import type { AppParts } from '../app-env.ts'
import type { Ladder } from '../ladder/ladder.ts'
import type { Reason } from '../ladder/reasons.ts'
import { defaultAnswer, type Outcome } from '../ladder/stored-score-to-answer.ts'
import { liveAnswer } from '../live/live-to-answer.ts'
import { type Deadline, RESERVE_MS } from '../server/deadline.ts'
import { readBody } from './read-body.ts'
import { RequestFault } from './request-fault.ts'
import type { Route } from './route.ts'
import { answerSchema, documentSchema, keySchema } from './schemas.ts'
import { outcomeReply } from './scores.ts'

const oneSchema = z.strictObject({ document: documentSchema, key: keySchema.optional() })

/**
 * `POST /v1/predict`: the promoted model scores the document now. When it cannot in time, the stored score of the key
 * answers, else the default.
 */
export function predictRoute({ ladder, live, limits }: Pick<AppParts, 'ladder' | 'live' | 'limits'>): Route {
  return {
    method: 'POST',
    path: '/v1/predict',
    access: 'predict',
    id: 'predict',
    summary: 'The score of a document that is sent along',
    description:
      'The promoted model scores it now. When it cannot in time, the stored score of the key answers, else the default.',
    body: oneSchema,
    replies: {
      200: {
        description: 'The score.',
        mediaType: 'application/json',
        schema: answerSchema,
        hasAnswerHeaders: true,
      },
    },
    errors: ['DOCUMENT_NOT_JSON', 'FIELD_MISSING', 'FIELD_TYPE', 'SCORE_NOT_FINITE'],
    async handle(call) {
      const { document, key } = await readBody(call, oneSchema, limits.maxBodyBytes)
      const { deadline } = call
      const scored = await live.score(
        document,
        liveEndsAtMs(deadline, key !== undefined, limits.cacheBudgetMs),
      )
      switch (scored.kind) {
        case 'scored':
          return outcomeReply(call, { kind: 'answer', answer: liveAnswer(key ?? null, scored, Date.now()) })
        case 'unscorable': {
          const { code, message, at } = scored.problem
          throw new RequestFault(code, message, [{ at: `/document${at ?? ''}`, message }])
        }
        case 'unable':
          return outcomeReply(call, await withoutLive(ladder, key, scored.reason, deadline))
      }
    },
  }
}

/** Live inference may use what the fallback does not need; of a short deadline it leaves the half. */
function liveEndsAtMs(deadline: Deadline, hasFallback: boolean, fallbackMs: number): number {
  const leftMs = deadline.endsAtMs - RESERVE_MS - performance.now()
  return deadline.endsAtMs - RESERVE_MS - (hasFallback ? Math.min(fallbackMs, leftMs / 2) : 0)
}

async function withoutLive(
  ladder: Ladder,
  key: string | undefined,
  reason: Reason,
  deadline: Deadline,
): Promise<Outcome> {
  if (key === undefined) return defaultAnswer(null, reason, ladder.rules)
  const stored = await ladder.lookUp(key, deadline)
  if (stored.kind === 'absent') return defaultAnswer(key, reason, ladder.rules)
  return { kind: 'answer', answer: { ...stored.answer, degraded: true, reason } }
}
