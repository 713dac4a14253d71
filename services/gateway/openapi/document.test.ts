import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { gateway, stored } from '../app.kit.ts'
import { type createApp, routesOf } from '../app.ts'
import type { Said } from '../ladder/said.ts'
import type { ModelPage } from '../live/model-page-schema.ts'
import type { OpenApiDocument } from './document.ts'

const found = (key: string): Said => ({ kind: 'has', score: { ...stored, key } })
const model: ModelPage = {
  model: 'delay@1',
  name: 'delay',
  version: '1',
  sha256: '0'.repeat(64),
  generation: 3,
  promoted_at: '2026-01-01T00:00:00.000Z',
  inputs: { columns: [{ name: 'distance', path: '/distance', type: 'number' }] },
  outputs: [{ name: 'delay', tensor: 'variable', column: 0 }],
  shadow: null,
  degraded: false,
}

async function documentFrom(app: ReturnType<typeof createApp>): Promise<OpenApiDocument> {
  return (await (await app.request('/openapi.json')).json()) as OpenApiDocument
}

/** The document, and a check of whatever an operation answers. */
async function world(options: Parameters<typeof gateway>[0] = {}) {
  const it = gateway({ cache: found, maxBodyBytes: 65_536, model, ...options })
  const document = await documentFrom(it.app)
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  return {
    ...it,
    document,
    check: async (operation: string, reply: Response) => {
      const [method, path] = operation.split(' ') as [string, string]
      const response = document.paths[path]?.[method.toLowerCase()]?.responses[reply.status]
      expect(response, `${operation} ${reply.status}`).toBeDefined()
      const [mediaType, content] = Object.entries(response!['content'] as object)[0]!
      expect(reply.headers.get('content-type')).toBe(mediaType)
      const { schema } = content as { schema: { type?: string } }
      const validate = ajv.compile({ ...schema, components: document.components })
      const body = mediaType.endsWith('json') ? await reply.json() : await reply.text()
      if (schema.type !== 'string')
        expect(validate(body), `${operation}: ${ajv.errorsText(validate.errors)}`).toBe(true)
      return body
    },
  }
}

test('every route is in the document, and nothing else is', async () => {
  const { app, parts, document } = await world()
  const told = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const routes = routesOf(parts).map(({ method, path }) => `${method} ${path}`)
  expect(told.sort()).toEqual(routes.toSorted())
  expect(app.routes).toHaveLength(routes.length)
  expect(new Set(routesOf(parts).map(({ id }) => id)).size).toBe(routes.length)
})

describe('answers are as the document says', () => {
  test.each([
    ['GET /v1/scores/{key}', '/v1/scores/a%2Fb', {}],
    ['GET /v1/scores', '/v1/scores?key=..', {}],
    ['GET /v1/scores', '/v1/scores', {}],
    ['GET /v1/scores/{key}', '/v1/scores/a?deadline_ms=x', {}],
    ['GET /v1/model', '/v1/model', {}],
    ['GET /healthz', '/healthz', {}],
    ['GET /readyz', '/readyz', {}],
    ['GET /metrics', '/metrics', {}],
    ['GET /openapi.json', '/openapi.json', {}],
    ['GET /docs', '/docs', {}],
    ['GET /', '/', {}],
    ['GET /docs/', '/docs/', {}],
    ['GET /docs/docs.css', '/docs/docs.css', {}],
    ['GET /docs/docs.js', '/docs/docs.js', {}],
  ])('%s for %s', async (operation, path, init) => {
    const { app, check } = await world()
    await check(operation, await app.request(path, init))
  })

  test.each([
    ['nobody has a score', { cache: { kind: 'has nothing' } }],
    ['Redis is late', { cache: { kind: 'was not heard', reason: 'cache_late' } }],
    ['several outputs', { cache: { kind: 'has', score: { ...stored, outputs: { a: 1, b: 2 } } } }],
    ['keys are wanted', { key: 'sesame' }],
    ['the model is late', { live: { kind: 'unable', reason: 'live_late' } }],
    ['no model serves', { model: null }],
  ] as const)('when %s', async (_, options) => {
    const { app, post, check } = await world(options)
    const keys = { keys: ['a', 'b'] }
    await check('GET /v1/scores/{key}', await app.request('/v1/scores/a'))
    await check('POST /v1/scores', await post('/v1/scores', keys))
    await check('POST /v1/scores', await post('/v1/scores', { keys: [''] }))
    await check('POST /v1/scores', await post('/v1/scores', keys, { 'content-type': 'text/plain' }))
    await check('POST /v1/scores', await post('/v1/scores', { keys: ['x'.repeat(70_000)] }))
    await check('POST /v1/predict', await post('/v1/predict', { document: {}, key: 'a' }))
    await check(
      'POST /v1/predict',
      await post('/v1/predict', { documents: [{ document: { bad: 1 } }, { document: {} }] }),
    )
    await check('POST /v1/rank', await post('/v1/rank', { template: 'none' }))
    await check('GET /v1/model', await app.request('/v1/model'))
    await check('GET /readyz', await app.request('/readyz'))
  })

  test('an answer carries the headers that it promises', async () => {
    const { app, post, document } = await world()
    for (const [path, method, reply] of [
      ['/v1/scores/{key}', 'get', await app.request('/v1/scores/a')],
      ['/v1/scores', 'post', await post('/v1/scores', { keys: ['a'] })],
      ['/v1/predict', 'post', await post('/v1/predict', { document: {} })],
    ] as const)
      for (const name of Object.keys(document.paths[path]![method]!.responses['200']!['headers'] as object))
        expect(reply.headers.get(name), `${path} ${name}`).not.toBeNull()
  })
})

describe('the page', () => {
  test('names every operation and loads nothing from elsewhere', async () => {
    const { app, document } = await world()
    const reply = await app.request('/docs')
    const html = await reply.text()
    for (const methods of Object.values(document.paths))
      for (const { operationId } of Object.values(methods))
        expect(html).toContain(`<section id="${operationId}"`)
    const loaded = [...html.matchAll(/(?:src|href)="([^"#][^"]*)"/g)].map((match) => match[1]!)
    expect(new Set(loaded)).toEqual(new Set(['/docs/docs.css', '/docs/docs.js', '/openapi.json']))
    for (const path of loaded) expect((await app.request(path)).status).toBe(200)
    expect(html).not.toMatch(/<script>|<style|\son\w+=|style="/)
    const policy = reply.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).not.toContain('unsafe')
  })

  test.each(['/', '/docs/'])('is where %s leads', async (path) => {
    const { app } = await world({ key: 'sesame' })
    const reply = await app.request(path)
    expect([reply.status, reply.headers.get('location')]).toEqual([302, '/docs'])
  })

  test('is open, as the document is, when keys are wanted', async () => {
    const { app } = await world({ key: 'sesame' })
    for (const path of ['/docs', '/openapi.json', '/docs/docs.js'])
      expect((await app.request(path)).status).toBe(200)
    for (const path of ['/metrics', '/v1/model', '/v1/scores/a'])
      expect((await app.request(path)).status).toBe(401)
  })
})
