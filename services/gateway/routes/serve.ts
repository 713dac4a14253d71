import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { Answer } from '@freshet/records/answer.ts'
import type { Rank } from '@freshet/records/revision.ts'
import type { Answered } from '../answered.ts'
import type { AppParts } from '../app-parts.ts'
import type { Caller } from '../keys/access.ts'
import { problemReply } from '../problem-reply.ts'
import type { Reply } from '../reply.ts'
import { ANY_ROUTE } from '../request-record.ts'
import { type Deadline, deadlineOf } from '../server/deadline.ts'
import { OVERLOADED } from '../server/intake.ts'
import type { TracedAnswer } from '../traces/traced-answer.ts'
import { type Asked, type Call, tookMs } from './call.ts'
import { hasDeadline, type Route } from './route.ts'

type Parts = Pick<AppParts, 'access' | 'record' | 'work' | 'log' | 'limits'>

/** Never throws and never rejects. @param acceptedAtMs of `performance.now()` */
export type Serve = (request: Asked, acceptedAtMs: number) => Reply | Promise<Reply>

/**
 * A route as all there is between a request and its answer: without middleware around it nothing is awaited that need
 * not be.
 */
export function serve(route: Route, parts: Parts): Serve {
  const isTimed = hasDeadline(route.path)
  const scope = route.access === 'any key' || route.access === 'open' ? null : route.access
  const end = (call: Served, reply: Reply) => {
    if (isTimed) parts.record.keep(call, reply.status)
    parts.work.end(call.bodyBytes)
    return reply
  }
  const fail = (call: Served, error: unknown) => end(call, failed(call, error, parts))
  return (request, acceptedAtMs) => {
    const call = new Served(request, acceptedAtMs, route.path, parts)
    try {
      if (route.access !== 'open') call.caller = parts.access.admit(request.headers, scope)
      if (isTimed) lowerDeadline(call, parts.limits.deadlineMs)
      const reply = route.handle(call)
      if (!(reply instanceof Promise)) return end(call, reply)
      return reply.then(
        (reply) => end(call, reply),
        (error: unknown) => fail(call, error),
      )
    } catch (error) {
      return fail(call, error)
    }
  }
}

/** For what no route is there: other methods of a known path are told which there are. */
export function serveNothing(
  parts: Pick<Parts, 'record' | 'limits' | 'work'>,
  methodsAt: (path: string) => readonly string[],
): (request: Asked, path: string, acceptedAtMs: number) => Reply {
  return (request, path, acceptedAtMs) => {
    const reply = refusal(request.method, path, methodsAt(path))
    if (hasDeadline(path))
      parts.record.keep(new Served(request, acceptedAtMs, ANY_ROUTE, parts), reply.status)
    parts.work.end(0)
    return reply
  }
}

function refusal(method: string, path: string, methods: readonly string[]): Reply {
  // HAProxy asks so whether anybody is there, unless it is told what else to ask.
  if (method === 'OPTIONS' && path === '/') return { status: 204, headers: {}, text: null }
  if (methods.length === 0) return problemReply(new FreshetError('ROUTE_UNKNOWN', `${method} ${path}`))
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ')
  if (method === 'OPTIONS') return { status: 204, headers: { allow }, text: null }
  return problemReply(new FreshetError('METHOD_NOT_ALLOWED', `${method} ${path}: use ${allow}`), { allow })
}

function failed(call: Served, error: unknown, { log }: Pick<Parts, 'log'>): Reply {
  const known = toFreshetError(error)
  const reply = problemReply(known)
  if (reply.status >= 500) {
    call.error = error
    // What is away or too much is told once, not for each.
    if (reply.status === 500) log.error('a request failed', known)
  }
  return reply
}

/** A caller can only lower it, by `x-deadline-ms` or `?deadline_ms`. @throws REQUEST_INVALID */
function lowerDeadline(call: Served, limitMs: number): void {
  const { headers, url } = call.request
  const asked = headers.get('x-deadline-ms') ?? inQuery(url)
  if (asked !== null) call.deadline = deadlineOf(call.deadline.acceptedAtMs, limitMs, asked)
}

function inQuery(url: string): string | null {
  const from = url.indexOf('?')
  return from === -1 ? null : new URLSearchParams(url.slice(from)).get('deadline_ms')
}

/** A call as `serve` knows it. */
class Served implements Call {
  readonly request: Asked
  readonly route: string
  caller: Caller = NOBODY
  deadline: Deadline
  answered: Answered | undefined = undefined
  fellBackAtMs: number | undefined = undefined
  traced: TracedAnswer[] | undefined = undefined
  /** What went wrong, for a status from 500. */
  error: unknown = undefined
  /** Of a body that was begun. */
  bodyBytes = 0
  readonly #parts: Pick<Parts, 'work' | 'record'>

  constructor(
    request: Asked,
    acceptedAtMs: number,
    route: string,
    parts: Pick<Parts, 'work' | 'record' | 'limits'>,
  ) {
    this.request = request
    this.route = route
    this.#parts = parts
    this.deadline = deadlineOf(acceptedAtMs, parts.limits.deadlineMs, null)
  }

  begin(bodyBytes: number): void {
    if (!this.#parts.work.begin(bodyBytes, tookMs(this))) throw OVERLOADED
    this.bodyBytes = bodyBytes
  }

  gives(key: string | null, answer: Answer | undefined, rank?: Rank): void {
    if (key === null) return
    const reason = this.#parts.record.traces.reasonOf(key, rank)
    if (reason === null) return
    this.traced ??= []
    this.traced.push({ reason, key, rank, answer })
  }
}

const NOBODY: Caller = { name: null, may: () => false }
