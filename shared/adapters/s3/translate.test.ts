import { expect, test } from 'vitest'
import { translateS3Error } from './translate.ts'

test.each([
  ['NoSuchKey', 404, 'OBJECT_MISSING'],
  ['NoSuchBucket', 404, 'BUCKET_MISSING'],
  ['NotFound', 404, 'BUCKET_MISSING'],
  ['NoSuchUpload', 404, 'UPLOAD_GONE'],
  ['PreconditionFailed', 412, 'OBJECT_CHANGED'],
  ['ConditionalRequestConflict', 409, 'OBJECT_CHANGED'],
  ['AccessDenied', 403, 'S3_UNAUTHORIZED'],
  ['InvalidAccessKeyId', 403, 'S3_UNAUTHORIZED'],
  ['SlowDown', 503, 'S3_UNREACHABLE'],
  ['TooManyRequests', 429, 'S3_UNREACHABLE'],
  ['InvalidArgument', 400, 'S3_REFUSED'],
])('an answer of %s (%i) is %s', (name, httpStatusCode, code) => {
  const error = Object.assign(new Error('as the server says'), { name, $metadata: { httpStatusCode } })
  expect(translateS3Error(error, 'get x')).toMatchObject({ code, cause: error })
})

test.each([
  [{ name: 'TimeoutError' }, 'S3_UNREACHABLE'],
  [{ name: 'Error', code: 'ECONNREFUSED' }, 'S3_UNREACHABLE'],
  [{ name: 'Error', code: 'ENOTFOUND' }, 'S3_UNREACHABLE'],
  [{ name: 'CredentialsProviderError' }, 'S3_UNAUTHORIZED'],
  [{ name: 'TypeError' }, 'BUG'],
])('without an answer %j is %s', (what, code) => {
  expect(translateS3Error(Object.assign(new Error('no answer'), what), 'get x').code).toBe(code)
})

test('the signed request that hangs on an error does not get into logs', () => {
  const error = Object.assign(new Error('denied'), { $response: { headers: { authorization: 'secret' } } })
  expect(translateS3Error(error, 'get x').cause).not.toHaveProperty('$response')
})
