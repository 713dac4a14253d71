import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import { Hono } from 'hono'
import { z } from 'zod'
import type { AppEnv, AppParts } from '../app-env.ts'
import { admits } from '../keys/admits.ts'
import type { Ladder } from '../ladder/ladder.ts'
import type { Reason } from '../ladder/reasons.ts'
import { defaultAnswer, type Outcome } from '../ladder/stored-score-to-answer.ts'
import { liveAnswer } from '../live/live-to-answer.ts'
import { problemReply } from '../reply.ts'
import { type Deadline, RESERVE_MS } from '../server/deadline.ts'
import { refuseMethod } from './method.ts'
import { readJson } from './read-json.ts'
import { askedDeadline, MAX_KEY_BYTES, outcomeReply } from './scores.ts'

const PATH = '/v1/predict'

const requestSchema = z.strictObject({
  document: z.custom<object>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    {
      error: 'a JSON object',
    },
  ),
  key: z
    .string()
    .min(1)
    .refine((key) => Buffer.byteLength(key) <= MAX_KEY_BYTES, `at most ${MAX_KEY_BYTES} bytes`)
    .optional(),
})

/**
 * `POST /v1/predict`: the promoted model scores the document now. When it cannot in time, the stored score of the key
 * answers, else the default.
 */
export function predictRoute({
  ladder,
  live,
  access,
  limits,
}: Pick<AppParts, 'ladder' | 'live' | 'access' | 'limits'>): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  app.post(PATH, admits(access, 'predict'), async (context) => {
    context.set('route', PATH)
    const deadline = askedDeadline(context, limits.deadlineMs)
    const { document, key } = await readJson(context.req.raw, requestSchema, {
      maxBytes: limits.maxBodyBytes,
      deadline,
    })
    const scored = await live.score(document, liveEndsAtMs(deadline, key !== undefined, limits.cacheBudgetMs))
    switch (scored.kind) {
      case 'scored':
        return outcomeReply(context, { kind: 'answer', answer: liveAnswer(key ?? null, scored, Date.now()) })
      case 'unscorable': {
        const { code, message, at } = scored.problem
        return problemReply(new FreshetError(code, message), { at: `/document${at ?? ''}` })
      }
      case 'unable':
        return outcomeReply(context, await withoutLive(ladder, key, scored.reason, deadline))
    }
  })
  app.all(PATH, refuseMethod(PATH, 'POST'))
  return app
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
