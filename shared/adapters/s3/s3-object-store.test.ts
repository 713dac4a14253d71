import { createHash } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { settingsSchema } from '@freshet/config/schema.ts'
import { expect, test } from 'vitest'
import { openS3, type S3ObjectStore } from './s3-object-store.ts'

/** A server that gives one answer a request, in order. */
async function serve(...answers: readonly ((response: ServerResponse) => void)[]) {
  const left = [...answers]
  const server = createServer((_, response) => left.shift()!(response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const { s3 } = settingsSchema.parse({
    s3: { accessKeyId: 'a', secretAccessKey: 'b', requestTimeoutMs: 200 },
  })
  const store = openS3({ ...s3, endpoint: `http://127.0.0.1:${port}` })
  return {
    store,
    left,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      server.closeAllConnections()
      server.close()
    },
  }
}

const whole =
  (body: string, etag = md5(body)) =>
  (response: ServerResponse) =>
    void response.writeHead(200, { etag: `"${etag}"`, 'content-length': body.length }).end(body)

const halted = (body: string) => (response: ServerResponse) =>
  void response.writeHead(200, { etag: `"${md5(body)}"`, 'content-length': body.length + 9 }).write(body)

test('an answer that stops half-way is asked for again', async () => {
  await using server = await serve(halted('{"a":'), whole('{"a":1}'))
  expect(await get(server.store)).toBe('{"a":1}')
})

test('a server that stops half-way again and again is unreachable', async () => {
  await using server = await serve(halted('x'), halted('x'), halted('x'))
  await expect(get(server.store)).rejects.toMatchObject({ code: 'S3_UNREACHABLE' })
})

test('old bytes under a new etag are not taken for the new object', async () => {
  await using server = await serve(whole('old', md5('new')), whole('new'))
  expect(await get(server.store)).toBe('new')
})

test('a server whose etags are no MD5 is believed when it says the same twice', async () => {
  await using server = await serve(whole('body', md5('salt')), whole('body', md5('salt')))
  expect(await get(server.store)).toBe('body')
  expect(server.left).toEqual([])
})

test('etags of objects in several pieces are no MD5, and one read is enough', async () => {
  await using server = await serve(whole('body', `${md5('pieces')}-2`))
  expect(await get(server.store)).toBe('body')
})

async function get(store: S3ObjectStore): Promise<string> {
  return (await store.get('key')).body.toString()
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}
