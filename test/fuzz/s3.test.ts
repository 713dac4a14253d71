/** What an S3 store answers, or whatever stands before it, through Amazon's client. */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { createS3Client } from '@freshet/adapters/s3/s3-client.ts'
import { S3ObjectStore } from '@freshet/adapters/s3/s3-object-store.ts'
import { settingsSchema } from '@freshet/config/schema.ts'
import type { ErrorCode } from '@freshet/errors/errors.ts'
import { afterAll, expect, test } from 'vitest'
import { fuzz } from './fuzz.kit.ts'
import { httpAnswer, RawServer } from './raw-server.kit.ts'

const server = await RawServer.listen()
const settings = {
  ...settingsSchema.parse({}).s3,
  ...{ endpoint: server.url, accessKeyId: 'k', secretAccessKey: 's' },
}
const client = createS3Client(settings)
client.config.maxAttempts = async () => 1 // its tries wait for each other
const store = new S3ObjectStore(settings, client)
afterAll(async () => {
  await store[Symbol.asyncDispose]()
  server.close()
})

const CODES: readonly ErrorCode[] = [
  ...(['S3_UNREACHABLE', 'S3_UNAUTHORIZED', 'S3_REFUSED', 'BUCKET_MISSING'] as const),
  ...(['OBJECT_MISSING', 'OBJECT_CHANGED', 'UPLOAD_GONE'] as const),
]
const body = Buffer.from('{"version":1}')
const etag = `etag: "${createHash('md5').update(body).digest('hex')}"`
const object = httpAnswer(body, 200, [etag])

fuzz({
  name: 's3-object',
  format: 'bytes',
  codes: CODES,
  valid: [object, httpAnswer(body, 206, ['etag: "x-1"', 'content-range: bytes 0-12/13'])],
  share: 0.1,
  async read(bytes) {
    server.answer = bytes
    const { body, etag } = await store.get('a')
    expect(body.length).toBeLessThan(bytes.length)
    expect(etag).toBeTypeOf('string')
  },
})

const listed = (more = '') =>
  `<?xml version="1.0"?><ListBucketResult><Name>b</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>${more}` +
  `<Contents><Key>${settings.prefix}/a&amp;b</Key><LastModified>2026-11-24T18:55:39.965Z</LastModified><Size>13</Size>` +
  '<ETag>&quot;x&quot;</ETag></Contents></ListBucketResult>'

fuzz({
  name: 's3-list',
  format: 'bytes',
  codes: CODES,
  valid: [Buffer.from(listed())],
  share: 0.1,
  async read(bytes) {
    server.answer = httpAnswer(bytes, 200, ['content-type: application/xml'])
    for (const { key, bytes, modifiedAtMs } of await store.list('')) {
      expect(key).toBeTypeOf('string')
      expect(bytes).toSatisfy(Number.isSafeInteger)
      new Date(modifiedAtMs).toISOString()
    }
  },
})

fuzz({
  name: 's3-refused',
  format: 'bytes',
  codes: [],
  valid: [Buffer.from('<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>m</Message></Error>')],
  share: 0.1,
  async read(bytes) {
    for (const status of [400, 403, 404, 503]) {
      server.answer = httpAnswer(bytes, status, ['content-type: application/xml'])
      await expect(store.put('a', body)).rejects.toSatisfy(({ code }) => CODES.includes(code))
    }
  },
})

test('a list that comes to no end is given up', async () => {
  server.answer = httpAnswer(listed('<NextContinuationToken>again</NextContinuationToken>'))
  await expect(store.list('')).rejects.toMatchObject({ code: 'S3_REFUSED' })
})

test.each(['<Size>13</Size>', '<LastModified>2026-11-24T18:55:39.965Z</LastModified>'])(
  'a list with an object that lacks %s is refused',
  async (part) => {
    server.answer = httpAnswer(listed().replace(part, ''))
    await expect(store.list('')).rejects.toMatchObject({ code: 'S3_REFUSED' })
  },
)

const UPLOAD =
  '<Upload><Key>a</Key><UploadId>u</UploadId><Initiated>2026-11-24T18:55:39.965Z</Initiated></Upload>'
const uploads = (more: string) =>
  httpAnswer(`<ListMultipartUploadsResult>${more}</ListMultipartUploadsResult>`, 200)

test.each([
  ['comes to no end', `<IsTruncated>true</IsTruncated>${UPLOAD}`],
  ['lacks a time', UPLOAD.replace(/<Initiated.*Initiated>/, '')],
  ['lacks an id', UPLOAD.replace('<UploadId>u</UploadId>', '')],
])('a list of uploads that %s is refused', async (_, said) => {
  server.answer = uploads(said)
  await expect(store.abortUploads('', 1)).rejects.toMatchObject({ code: 'S3_REFUSED' })
})

test('an upload without an id is none', async () => {
  server.answer = httpAnswer('<InitiateMultipartUploadResult/>')
  await expect(store.beginUpload('a')).rejects.toMatchObject({ code: 'S3_REFUSED' })
})

test('an answer without an ETag is refused: what was read could not be told from what another wrote', async () => {
  server.answer = httpAnswer(body)
  await expect(store.get('a')).rejects.toMatchObject({ code: 'S3_REFUSED' })
  await expect(store.put('a', body)).rejects.toMatchObject({ code: 'S3_REFUSED' })
})

test('a length that is only told is not allocated', async () => {
  const told = httpAnswer(body, 200, [etag])
    .toString()
    .replace(/content-length: \d+/, 'content-length: 3000000000')
  server.answer = Buffer.from(told)
  const before = process.memoryUsage().arrayBuffers
  const reading = store.get('a').catch(({ code }) => code)
  let most = 0
  const looking = setInterval(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }, 1)
  expect(await reading).toBe('S3_UNREACHABLE')
  clearInterval(looking)
  expect(most).toBeLessThan(100 * 2 ** 20)
})
