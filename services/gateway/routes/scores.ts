import { FreshetError } from '@freshet/errors/errors.ts'
import { faultOfKey } from '@freshet/records/document-key.ts'
import type { AppParts } from '../app-parts.ts'
import { outcomeReply } from './outcome-reply.ts'
import type { Route } from './route.ts'
import { answerSchema, keySchema } from './schemas.ts'

const PATH = '/v1/scores'
const KEY_PATH = `${PATH}/{key}`

/**
 * `GET /v1/scores/{key}`: the key is the rest of the path, slashes and all. `GET /v1/scores?key=…` is the same for
 * any key, also for `.` and `..`, which clients take out of a path.
 */
export function scoreRoutes({ ladder }: Pick<AppParts, 'ladder'>): readonly [Route, Route] {
  const lookup = {
    method: 'GET',
    access: 'lookup',
    replies: {
      200: {
        description: 'The stored score, or the default when no store can be asked.',
        mediaType: 'application/json',
        schema: answerSchema,
        hasAnswerHeaders: true,
      },
    },
    errors: ['KEY_UNKNOWN'],
    handle(call) {
      const key = keyIn(call.request.url)
      const outcome = ladder.lookUp(key, call.deadline)
      return outcome instanceof Promise
        ? outcome.then((outcome) => outcomeReply(call, key, outcome))
        : outcomeReply(call, key, outcome)
    },
  } satisfies Partial<Route>
  return [
    {
      ...lookup,
      path: KEY_PATH,
      pattern: `${PATH}/:key{[^]+}`,
      id: 'getScore',
      summary: 'The score of a document',
      description: 'The key is the rest of the path, slashes and all.',
      parameters: [
        { in: 'path', name: 'key', required: true, description: 'Percent-encoded.', schema: keySchema },
      ],
    },
    {
      ...lookup,
      path: PATH,
      id: 'getScoreByQuery',
      summary: 'The same, for any key',
      description: 'Keys such as `.` and `..` do not survive in a path.',
      parameters: [
        { in: 'query', name: 'key', required: true, description: 'Percent-encoded.', schema: keySchema },
      ],
    },
  ]
}

/** Read from the raw URL: routers decode more than once. @throws REQUEST_INVALID */
function keyIn(url: string): string {
  const pathFrom = url.indexOf(PATH) + PATH.length
  const queryFrom = url.indexOf('?', pathFrom)
  const rest = url.slice(pathFrom, queryFrom === -1 ? undefined : queryFrom)
  const raw = rest === '' ? keyInQuery(url.slice(queryFrom + 1)) : rest.slice('/'.length)
  const key = raw.includes('%') ? decode(raw) : raw
  const fault = faultOfKey(key)
  if (fault !== null) throw new FreshetError('REQUEST_INVALID', fault)
  return key
}

function decode(raw: string): string {
  try {
    return decodeURIComponent(raw)
  } catch (cause) {
    throw new FreshetError('REQUEST_INVALID', 'the key is not percent-encoded UTF-8', { cause })
  }
}

/** In a query `+` is a space. */
function keyInQuery(query: string): string {
  const name = 'key='
  const [raw, another] = query.split('&').filter((parameter) => parameter.startsWith(name))
  if (another !== undefined)
    throw new FreshetError('REQUEST_INVALID', 'more than one key: POST /v1/scores takes many')
  if (raw === undefined || raw === name)
    throw new FreshetError('REQUEST_INVALID', `no key: ask for ${KEY_PATH} or ${PATH}?key=…`)
  return raw.slice(name.length).replaceAll('+', ' ')
}
