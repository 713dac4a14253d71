import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import { type Context, Hono } from 'hono'
import type { AppEnv, AppParts } from '../app-env.ts'
import { admits } from '../keys/admits.ts'
import type { Outcome } from '../ladder/stored-score-to-answer.ts'
import { answerReply, problemReply } from '../reply.ts'
import { deadlineOf } from '../server/deadline.ts'
import { refuseMethod } from './method.ts'

const PATH = '/v1/scores'
const ROUTE = `${PATH}/{key}`
/** An index name has at most 255 bytes, an _id 512. */
export const MAX_KEY_BYTES = 255 + 1 + 512

/**
 * `GET /v1/scores/{key}`: the key is the rest of the path, slashes and all. `GET /v1/scores?key=…` is the same for
 * any key, also for `.` and `..`, which clients take out of a path.
 */
export function scoresRoute({
  ladder,
  access,
  limits,
}: Pick<AppParts, 'ladder' | 'access' | 'limits'>): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  for (const path of [`${PATH}/:key{[^]+}`, PATH]) {
    app.get(path, admits(access, 'lookup'), async (context) => {
      context.set('route', ROUTE)
      const deadline = askedDeadline(context, limits.deadlineMs)
      return outcomeReply(context, await ladder.lookUp(keyIn(context.req.url), deadline))
    })
    app.all(path, refuseMethod(ROUTE, 'GET, HEAD'))
  }
  return app
}

/** The request's deadline, lowered by `x-deadline-ms` or `?deadline_ms`. */
export function askedDeadline(context: Context<AppEnv>, limitMs: number) {
  const asked = context.req.header('x-deadline-ms') ?? context.req.query('deadline_ms')
  if (asked === undefined) return context.get('deadline')
  const deadline = deadlineOf(context.get('deadline').acceptedAtMs, limitMs, asked)
  context.set('deadline', deadline)
  return deadline
}

export function outcomeReply(context: Context<AppEnv>, outcome: Outcome): Response {
  if (outcome.kind === 'absent')
    return problemReply(new FreshetError('KEY_UNKNOWN', `the key is ${outcome.why}`))
  context.set('answer', outcome.answer)
  return answerReply(outcome.answer, performance.now() - context.get('deadline').acceptedAtMs)
}

/** Read from the raw URL: routers decode more than once. */
function keyIn(url: string): string {
  const [path, query = ''] = url.split('#', 1)[0]!.split(/\?(.*)/s) as [string, string?]
  const rest = path.slice(path.indexOf(PATH) + PATH.length)
  const raw = rest === '' ? keyInQuery(query) : rest.slice('/'.length)
  let key: string
  try {
    key = decodeURIComponent(raw)
  } catch (cause) {
    throw new FreshetError('REQUEST_INVALID', 'the key is not percent-encoded UTF-8', { cause })
  }
  if (Buffer.byteLength(key) > MAX_KEY_BYTES)
    throw new FreshetError('REQUEST_INVALID', `the key is longer than ${MAX_KEY_BYTES} bytes`)
  return key
}

/** In a query `+` is a space. */
function keyInQuery(query: string): string {
  const name = 'key='
  const raw = query.split('&').find((parameter) => parameter.startsWith(name))
  if (raw === undefined || raw === name)
    throw new FreshetError('REQUEST_INVALID', `no key: ask for ${ROUTE} or ${PATH}?key=…`)
  return raw.slice(name.length).replaceAll('+', ' ')
}
