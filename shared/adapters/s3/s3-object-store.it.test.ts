import { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { loadSettings } from '@freshet/config/load.ts'
import { objectStoreContract } from '@freshet/ports/object-store.contract.ts'
import { beforeAll, describe, expect, test } from 'vitest'
import { ensureBucket } from './s3-bucket.ts'
import { openS3 } from './s3-object-store.ts'

const settings = { ...loadSettings({ env: process.env }).s3, bucket: 'freshet-it' }

beforeAll(() => ensureBucket(settings))

objectStoreContract(
  'S3',
  async () => openS3({ ...settings, prefix: `contract-${randomUUID()}` }),
  (await isS3Mock())
    ? [
        {
          promise: 'of many writers over one version exactly one wins',
          reason: 'S3Mock compares etags and writes without a lock, so now and then two win',
        },
      ]
    : [],
)

describe('S3, when it is not as it should be', () => {
  test('the bucket is made once; making it again changes nothing', async () => {
    const fresh = { ...settings, bucket: `freshet-it-${randomUUID()}` }
    await ensureBucket(fresh)
    await ensureBucket(fresh)
    await using store = openS3(fresh)
    expect(await store.list('')).toEqual([])
  })

  test('a missing bucket is named as such, not as a missing object', async () => {
    await using store = openS3({ ...settings, bucket: `freshet-none-${randomUUID()}` })
    await expect(store.get('x')).rejects.toMatchObject({ code: 'BUCKET_MISSING' })
    await expect(store.put('x', Buffer.from('x'))).rejects.toMatchObject({ code: 'BUCKET_MISSING' })
  })

  test('a server that is not there is unreachable, which a retry can help', async () => {
    await using store = openS3({ ...settings, endpoint: 'http://127.0.0.1:9' })
    await expect(store.get('x')).rejects.toMatchObject({ code: 'S3_UNREACHABLE', retryable: true })
  })

  test('a server that takes the request and never answers is unreachable after the time-out', async () => {
    await using silent = await listen()
    await using store = openS3({ ...settings, endpoint: silent.url, requestTimeoutMs: 100 })
    await expect(store.get('x')).rejects.toMatchObject({ code: 'S3_UNREACHABLE' })
  })

  test('a caller who gives up is let go at once', async () => {
    await using silent = await listen()
    await using store = openS3({ ...settings, endpoint: silent.url, requestTimeoutMs: 60_000 })
    await expect(store.get('x', AbortSignal.timeout(50))).rejects.toMatchObject({ code: 'DEADLINE' })
  })
})

/** By the owner that it gives to all buckets, always the same. */
async function isS3Mock(): Promise<boolean> {
  if (settings.endpoint === undefined) return false
  const buckets = await (await fetch(settings.endpoint)).text()
  return buckets.includes('<ID>79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be</ID>')
}

/** A server that accepts and keeps silent. */
async function listen(): Promise<AsyncDisposable & { url: string }> {
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
