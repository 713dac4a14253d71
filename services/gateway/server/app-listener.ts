import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { refuseUnparsed } from './unparsed.ts'

type Fetch = Parameters<typeof getRequestListener>[0]

/** Plain checks of load balancers speak HTTP/1.0 and name no host; Node refuses an HTTP/1.1 request without one. */
const OPTIONS = { hostname: 'localhost', errorHandler: refuseUnparsed }

/** The app as node:http calls it. */
export function appListener({ fetch }: { readonly fetch: Fetch }): RequestListener {
  return getRequestListener(fetch, OPTIONS)
}
