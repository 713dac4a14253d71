import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { settingsSchema } from '@freshet/config/schema.ts'
import { expect, onTestFinished, test } from 'vitest'
import { checkCapturable } from './check.ts'
import { connectElasticsearch } from './connect.ts'

/** Answers `GET /` as asked for, and everything else as a server that knows no index. */
async function fakeElasticsearch(status: number, body: object) {
  const server = createServer(({ url }, response) => {
    const root = new URL(url!, 'http://host').pathname === '/'
    response.writeHead(root ? status : 404, {
      'content-type': 'application/json',
      'x-elastic-product': 'Elasticsearch',
    })
    response.end(JSON.stringify(root ? body : { error: { type: 'index_not_found_exception' } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = connectElasticsearch({ ...settingsSchema.parse({}).elasticsearch, url })
  onTestFinished(async () => {
    await client.close()
    server.close()
  })
  return client
}

const serverless = { version: { number: '9.5.0', build_flavor: 'serverless' } }
const choice = { index: 'flights', timestampField: 'updatedAt' }

test('Elasticsearch Serverless is refused, with the way out', async () => {
  const client = await fakeElasticsearch(200, serverless)
  const check = checkCapturable(client, { ...choice, mode: 'seqNo' }, AbortSignal.timeout(5_000))
  await expect(check).rejects.toMatchObject({
    code: 'INDEX_NOT_CAPTURABLE',
    message: expect.stringMatching(/Serverless .* set elasticsearch.mode to timestamp/),
  })
})

test.each([
  ['a server that does not say what it is', 405, { error: 'Incorrect HTTP method', status: 405 }],
  ['a role that may not ask', 403, { error: { type: 'security_exception' }, status: 403 }],
  ['any other build', 200, { version: { number: '9.5.3', build_flavor: 'default' } }],
])('%s is judged by its indices', async (_, status, body) => {
  const client = await fakeElasticsearch(status, body)
  const check = checkCapturable(client, { ...choice, mode: 'seqNo' }, AbortSignal.timeout(5_000))
  await expect(check).rejects.toMatchObject({ code: 'INDEX_MISSING' })
})
