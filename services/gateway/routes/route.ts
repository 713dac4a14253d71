import type { Scope } from '@freshet/config/gateway-access.ts'
import type { ErrorCode } from '@freshet/errors/errors.ts'
import type { z } from 'zod'
import type { Reply } from '../reply.ts'
import type { Call } from './call.ts'

/**
 * One operation of the API, with all that is to be known of it: app.ts mounts it, the key check reads its scope,
 * and its entry in /openapi.json is made from the schemas that it checks requests with. A test holds both against
 * each other.
 *
 * A new one: write `somethingRoute(parts): Route` in a file of this folder and name it in `routesOf` (app.ts).
 */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** As OpenAPI writes it, and as it is recorded: `/v1/scores/{key}`. What begins with /v1/ has a deadline. */
  readonly path: string
  /** The same for Hono, where it is another. */
  readonly pattern?: string
  /** Who may ask, once keys are configured: who holds one with this scope, or any key, or everybody. */
  readonly access: Scope | 'any key' | 'open'
  /** A name for clients made from the document. */
  readonly id: string
  /** A few words, without a full stop. */
  readonly summary: string
  /** More, as Markdown's plain text. */
  readonly description: string
  readonly parameters?: readonly Parameter[]
  /** The body, as JSON: `readBody(call, schema, …)` checks it with the same schema. */
  readonly body?: z.ZodType
  /** When all is well, by status. */
  readonly replies: Readonly<Record<number, DocumentedReply>>
  /** Which errors it raises, beside those that every route may (openapi/document.ts). */
  readonly errors: readonly ErrorCode[]
  /** May throw a FreshetError: it becomes a problem (RFC 9457) with the status that problem-reply.ts gives to its code. */
  readonly handle: (call: Call) => Reply | Promise<Reply>
}

/** Such a request is counted and traced, too. */
export function hasDeadline(path: string): boolean {
  return path.startsWith('/v1/')
}

export interface Parameter {
  readonly in: 'path' | 'query' | 'header'
  readonly name: string
  readonly description: string
  readonly required: boolean
  readonly schema: z.ZodType
}

export interface DocumentedReply {
  readonly description: string
  readonly mediaType: string
  /** null: what the media type says. */
  readonly schema: z.ZodType | null
  /** It carries `Age`, `Cache-Status` and `Server-Timing`. */
  readonly hasAnswerHeaders?: true
}
