import { readFileSync } from 'node:fs'
import { docsPage } from '../openapi/docs-page.ts'
import { openApiOf } from '../openapi/document.ts'
import { pageReply, redirectReply, textReply } from '../reply.ts'
import type { Route } from './route.ts'

const HTML = 'text/html; charset=utf-8'
const CSS = 'text/css; charset=utf-8'
const SCRIPT = 'text/javascript; charset=utf-8'

/**
 * The routes, and those that tell of all of them: `/openapi.json`, and `/docs` for people, which loads nothing from
 * anywhere else. They are open: what they say stands in the source code. Both are made at the first look at one of them,
 * which main.ts takes before anybody waits.
 */
export function withDocs(others: readonly Route[]): readonly Route[] {
  const style = readFileSync(new URL('../openapi/docs.css', import.meta.url), 'utf8')
  const script = readFileSync(new URL('../openapi/docs.js', import.meta.url), 'utf8')
  const routes: Route[] = [
    ...others,
    file('/openapi.json', 'getDocument', 'This API as OpenAPI 3.1', {
      mediaType: 'application/json',
      handle: () => textReply(texts().document, 'application/json'),
    }),
    file('/docs', 'getDocs', 'This API as a page to read and to try', {
      mediaType: HTML,
      handle: () => pageReply(texts().page, HTML),
    }),
    toDocs('/', 'getRoot'),
    toDocs('/docs/', 'getDocsSlash'),
    file('/docs/docs.css', 'getDocsStyle', 'Its style', {
      mediaType: CSS,
      handle: () => pageReply(style, CSS),
    }),
    file('/docs/docs.js', 'getDocsScript', 'Its script', {
      mediaType: SCRIPT,
      handle: () => pageReply(script, SCRIPT),
    }),
  ]
  const texts = once(() => {
    const document = openApiOf(routes)
    return { document: JSON.stringify(document), page: docsPage(document) }
  })
  return routes
}

/** Made when it is first asked for, which takes some ten milliseconds. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

/** What people type. */
function toDocs(path: string, id: string): Route {
  const summary = 'The way to /docs'
  const handle = () => redirectReply('/docs')
  const page = file(path, id, summary, { mediaType: HTML, handle })
  const way = { description: summary, mediaType: 'text/plain; charset=utf-8', schema: null }
  return {
    ...page,
    replies: { 302: way, 200: { ...page.replies[200]!, description: 'The page, for who follows.' } },
  }
}

function file(
  path: string,
  id: string,
  summary: string,
  { mediaType, handle }: { mediaType: string; handle: Route['handle'] },
): Route {
  return {
    method: 'GET',
    path,
    access: 'open',
    id,
    summary,
    description: 'Works without any other server.',
    replies: { 200: { description: summary, mediaType, schema: null } },
    errors: [],
    handle,
  }
}
