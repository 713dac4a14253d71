import type { Scope } from '@freshet/config/gateway-access.ts'
import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from '../app-env.ts'
import type { Access } from './access.ts'

/**
 * Stands before the handler of a route, under the very same path: what the router finds a way to is asked for its key.
 * @param scope null where any key will do
 */
export function admits(access: Access, scope: Scope | null): MiddlewareHandler<AppEnv> {
  return (context, next) => {
    context.set('caller', access.admit(context.req.raw.headers, scope))
    return next()
  }
}
