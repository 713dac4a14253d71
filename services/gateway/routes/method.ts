import { FreshetError } from '@freshet/errors/errors.ts'
import type { Context } from 'hono'
import type { AppEnv } from '../app-env.ts'
import { problemReply } from '../reply.ts'

/** For every other method of a known route. `allow` as the header of that name wants it, e.g. `GET, HEAD`. */
export function refuseMethod(route: string, allow: string): (context: Context<AppEnv>) => Response {
  return (context) => {
    context.set('route', route)
    const { method } = context.req
    return problemReply(new FreshetError('METHOD_NOT_ALLOWED', `${method} ${route}: use ${allow}`), { allow })
  }
}
