import { STATUS_CODES } from 'node:http'
import { ERRORS, type ErrorCode } from '@freshet/errors/errors.ts'
import { z } from 'zod'
import { statusOf } from '../problem-reply.ts'
import { type DocumentedReply, hasDeadline, type Parameter, type Route } from '../routes/route.ts'
import { problemSchema } from '../routes/schemas.ts'

/** What is written of JSON Schema and OpenAPI here; nobody reads it back. */
type Json = Readonly<Record<string, unknown>>

export interface OpenApiDocument {
  readonly openapi: '3.1.1'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: Json & { readonly schemas: Json }
}

export interface Operation extends Json {
  readonly operationId: string
  readonly summary: string
  readonly description: string
  readonly parameters: readonly Json[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Json }>> } & Json
  readonly responses: Readonly<Record<string, Json & { readonly description: string }>>
}

const DESCRIPTION = `Scores of documents, within 100 ms, whatever is broken: every answer says where it comes from
(\`source\`), how old it is (\`age_ms\`), and whether a better source should have answered (\`degraded\`, \`reason\`). The
headers \`Age\` (RFC 9111), \`Cache-Status\` (RFC 9211) and \`Server-Timing\` say the same. Errors are problems (RFC 9457)
with a code, a hint, and whether a retry helps.`

const DEADLINE: readonly Parameter[] = (['header', 'query'] as const).map((place) => ({
  in: place,
  name: place === 'header' ? 'x-deadline-ms' : 'deadline_ms',
  required: false,
  description:
    'Longest wait for the answer, in milliseconds from when the request was accepted; it can only lower gateway.deadlineMs.',
  schema: z.int().min(1).max(999_999_999),
}))

/** The API as OpenAPI 3.1 tells it, from what the routes say of themselves. */
export function openApiOf(routes: readonly Route[]): OpenApiDocument {
  const schemas = new Schemas()
  const paths: Record<string, Record<string, Operation>> = {}
  for (const route of routes)
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route, schemas)
  schemas.of(problemSchema, 'output')
  return {
    openapi: '3.1.1',
    info: { title: 'Freshet gateway', version: '1', description: DESCRIPTION.replaceAll('\n', ' ') },
    paths,
    components: {
      schemas: schemas.named,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A key of gateway.keys.' },
        apiKey: {
          type: 'apiKey',
          in: 'header',
          name: 'x-api-key',
          description: 'The same in a header of its own.',
        },
      },
    },
  }
}

function operationOf(route: Route, schemas: Schemas): Operation {
  const parameters = [...(route.parameters ?? []), ...(hasDeadline(route.path) ? DEADLINE : [])]
  return {
    operationId: route.id,
    summary: route.summary,
    description: route.description,
    parameters: parameters.map(({ schema, ...parameter }) => ({
      ...parameter,
      schema: schemas.of(schema, 'input'),
    })),
    ...(route.body !== undefined && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: schemas.of(route.body, 'input') } },
      },
    }),
    responses: { ...repliesOf(route, schemas), ...problemsOf(route, schemas) },
    ...(route.access !== 'open' && { security: securityOf(route.access) }),
  }
}

function repliesOf({ replies }: Route, schemas: Schemas): Operation['responses'] {
  return Object.fromEntries(
    Object.entries(replies).map(([status, reply]) => [
      status,
      {
        description: reply.description,
        ...(reply.hasAnswerHeaders && { headers: ANSWER_HEADERS }),
        content: { [reply.mediaType]: { schema: schemaOf(reply, schemas) } },
      },
    ]),
  )
}

function schemaOf({ mediaType, schema }: DocumentedReply, schemas: Schemas): Json {
  if (schema !== null) return schemas.of(schema, 'output')
  return { type: mediaType === 'application/json' ? 'object' : 'string' }
}

/** Errors of one status stand together. */
function problemsOf(route: Route, schemas: Schemas): Operation['responses'] {
  const codes = Map.groupBy(new Set([...route.errors, ...commonErrors(route)]), statusOf)
  return Object.fromEntries(
    [...codes].map(([status, codes]) => [
      `${status}`,
      {
        description: `${STATUS_CODES[status]}. ${codes.map((code) => `\`${code}\`: ${ERRORS[code].hint}`).join(' ')}`,
        content: { 'application/problem+json': { schema: schemas.of(problemSchema, 'output') } },
      },
    ]),
  )
}

/** What any route of its kind may answer. */
function commonErrors(route: Route): readonly ErrorCode[] {
  return [
    ...(route.access === 'open' ? [] : (['API_KEY_REFUSED', 'HOST_REFUSED', 'RATE_LIMITED'] as const)),
    ...(route.access === 'open' || route.access === 'any key' ? [] : (['SCOPE_MISSING'] as const)),
    ...(hasDeadline(route.path) ? (['REQUEST_INVALID', 'OVERLOADED'] as const) : []),
    ...(route.body === undefined
      ? []
      : ([
          'REQUEST_INVALID',
          'REQUEST_TOO_LARGE',
          'MEDIA_TYPE_UNSUPPORTED',
          'TRANSFER_CODING_UNSUPPORTED',
          'DEADLINE',
        ] as const)),
    'BUG',
  ]
}

/** The empty one: on loopback none is needed. Scopes stand as roles, as OpenAPI 3.1 allows for any kind of key. */
function securityOf(access: Route['access']): readonly Json[] {
  const roles = access === 'any key' ? [] : [access]
  return [{ bearer: roles }, { apiKey: roles }, {}]
}

const ANSWER_HEADERS: Json = {
  Age: {
    description:
      'Seconds since the document was seen as it was scored; of the oldest answer, where there are many.',
    schema: { type: 'integer', minimum: 0 },
  },
  'Cache-Status': {
    description: 'Which store has answered (RFC 9211).',
    required: true,
    schema: { type: 'string' },
  },
  'Server-Timing': {
    description: 'Milliseconds since the request was accepted.',
    required: true,
    schema: { type: 'string' },
  },
}

/** JSON schemas of zod's; those with an id are collected, and referred to. */
class Schemas {
  readonly named: Record<string, Json> = {}
  readonly #known = { input: new Map<z.ZodType, Json>(), output: new Map<z.ZodType, Json>() }

  of(schema: z.ZodType, io: 'input' | 'output'): Json {
    const known = this.#known[io].get(schema)
    if (known !== undefined) return known
    const made = this.#make(schema, io)
    this.#known[io].set(schema, made)
    return made
  }

  #make(schema: z.ZodType, io: 'input' | 'output'): Json {
    const { $schema: _, $defs = {}, ...root } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
    for (const [id, definition] of Object.entries($defs))
      this.named[id] = moved({ ...definition, id: undefined })
    const { id } = schema.meta() ?? {}
    if (id === undefined) return moved(root)
    if (root.$ref === undefined) this.named[id] = moved({ ...root, id: undefined })
    return { $ref: `${SCHEMAS}${id}` }
  }
}

const SCHEMAS = '#/components/schemas/'

function moved(schema: object): Json {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', `"${SCHEMAS}`)) as Json
}
