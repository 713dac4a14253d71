import type { Answer } from '@freshet/records/answer.ts'
import type { Reason } from '@freshet/records/reasons.ts'
import { z } from 'zod'
import type { AppParts } from '../app-parts.ts'
import type { Ladder } from '../ladder/ladder.ts'
import { defaultAnswer, type LadderRules, type Outcome } from '../ladder/stored-score-to-answer.ts'
import type { Live } from '../live/live-rung.ts'
import { liveAnswer } from '../live/live-to-answer.ts'
import { LoopTurns } from '../many/loop-turns.ts'
import { ANSWER_MS } from '../many/many-lookups.ts'
import { problemOf } from '../problem-reply.ts'
import type { Reply } from '../reply.ts'
import { type Deadline, RESERVE_MS } from '../server/deadline.ts'
import type { Call } from './call.ts'
import { ManyAnswers } from './many-answers.ts'
import { outcomeReply } from './outcome-reply.ts'
import { readBody } from './read-body.ts'
import { RequestFault } from './request-fault.ts'
import type { Route } from './route.ts'
import { answerSchema, documentSchema, keySchema, MAX_DOCUMENTS, problemSchema } from './schemas.ts'

const oneSchema = z.strictObject({ document: documentSchema, key: keySchema.optional() })
const manySchema = z.strictObject({ documents: z.array(oneSchema).min(1).max(MAX_DOCUMENTS) })

const answersSchema = z.strictObject({
  answers: z
    .array(z.union([answerSchema, z.strictObject({ key: z.string().nullable(), problem: problemSchema })]))
    .meta({ description: 'One for each document, in their order.' }),
  degraded: z.boolean().meta({ description: 'Whether any of the answers is.' }),
})

type Parts = Pick<AppParts, 'ladder' | 'many' | 'live' | 'limits'>
type DocumentToScore = z.infer<typeof oneSchema>
type Body = DocumentToScore | z.infer<typeof manySchema>

/**
 * `POST /v1/predict`: the promoted model scores the document now, or up to 256 of them in one run. What it cannot in time
 * the stored score of the key answers, else the default.
 */
export function predictRoute(parts: Parts): Route {
  return {
    method: 'POST',
    path: '/v1/predict',
    access: 'predict',
    id: 'predict',
    summary: 'The scores of documents that are sent along',
    description: `One document, or up to ${MAX_DOCUMENTS}: the promoted model scores them now. When it cannot in time, the stored score of the key answers, else the default. Of many each is answered by itself.`,
    body: z.union([oneSchema, manySchema]),
    replies: {
      200: {
        description: 'The score; or an answer for each document, or what is wrong with it.',
        mediaType: 'application/json',
        schema: z.union([answerSchema, answersSchema]),
        hasAnswerHeaders: true,
      },
    },
    errors: ['DOCUMENT_NOT_JSON', 'FIELD_MISSING', 'FIELD_TYPE', 'SCORE_NOT_FINITE'],
    handle(call) {
      const asked = readBody<Body>(call, schemaFor, parts.limits.maxBodyBytes)
      return asked instanceof Promise
        ? asked.then((asked) => answer(call, asked, parts))
        : answer(call, asked, parts)
    },
  }
}

function answer(call: Call, asked: Body, parts: Parts): Promise<Reply> {
  return 'documents' in asked ? answerMany(call, asked.documents, parts) : answerOne(call, asked, parts)
}

function schemaFor(value: unknown) {
  return typeof value === 'object' && value !== null && 'documents' in value ? manySchema : oneSchema
}

async function answerOne(call: Call, { document, key }: DocumentToScore, { ladder, live, limits }: Parts) {
  const { deadline } = call
  const scored = await live.score(document, liveEndsAtMs(deadline, key !== undefined, limits.cacheBudgetMs))
  switch (scored.kind) {
    case 'scored':
      return outcomeReply(call, key ?? null, {
        kind: 'answer',
        answer: liveAnswer(key ?? null, scored, Date.now()),
      })
    case 'unscorable':
      throw faultOf(scored, '/document')
    case 'unable': {
      const fellBackAtMs = performance.now()
      const outcome = await withoutLive(ladder, key, scored.reason, deadline)
      return outcomeReply(call, key ?? null, { ...outcome, fellBackAtMs })
    }
  }
}

async function answerMany(
  call: Call,
  asked: readonly DocumentToScore[],
  { ladder, many, live, limits }: Parts,
) {
  const deadline = { ...call.deadline, endsAtMs: call.deadline.endsAtMs - asked.length * ANSWER_MS }
  const answers = new ManyAnswers(call, asked.length)
  const turns = new LoopTurns(deadline)
  const hasKeys = asked.some(({ key }) => key !== undefined)
  const scored = await live.scoreAll(
    asked.map(({ document }) => document),
    liveEndsAtMs(deadline, hasKeys, limits.cacheBudgetMs),
    () => turns.pause(),
  )
  const without: { readonly at: number; readonly key: string; readonly reason: Reason }[] = []
  const nowMs = Date.now()
  for (const [at, one] of scored.entries()) {
    const { key } = asked[at]!
    if (one.kind === 'scored') answers.put(at, liveAnswer(key ?? null, one, nowMs))
    else if (one.kind === 'unscorable')
      answers.putOther(at, {
        key: key ?? null,
        problem: problemOf(faultOf(one, `/documents/${at}/document`)),
      })
    else if (key === undefined) answers.put(at, defaultAnswer(null, one.reason, ladder.rules).answer)
    else without.push({ at, key, reason: one.reason })
    const pause = turns.pause()
    if (pause !== undefined) await pause
  }
  const keys = without.map(({ key }) => key)
  await many.lookUp(keys, call.deadline, (outcome, i) => {
    const { at, key, reason } = without[i]!
    const rank = outcome.kind === 'answer' ? outcome.rank : undefined
    answers.put(at, instead(key, outcome, reason, ladder.rules), rank)
  })
  return answers.reply()
}

function faultOf({ problem }: Live & { kind: 'unscorable' }, document: string): RequestFault {
  const { code, message, at } = problem
  return new RequestFault(code, message, [{ at: `${document}${at ?? ''}`, message }])
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
): Promise<Outcome & { readonly kind: 'answer' }> {
  if (key === undefined) return defaultAnswer(null, reason, ladder.rules)
  const stored = await ladder.lookUp(key, deadline)
  const answer = instead(key, stored, reason, ladder.rules)
  return stored.kind === 'answer' ? { ...stored, answer } : { kind: 'answer', answer }
}

/** The stored score in place of the live one, or the default. */
function instead(key: string, stored: Outcome, reason: Reason, rules: LadderRules): Answer {
  if (stored.kind === 'absent') return defaultAnswer(key, reason, rules).answer
  return { ...stored.answer, degraded: true, reason }
}
