import { CreateBucketCommand, HeadBucketCommand, ListBucketsCommand } from '@aws-sdk/client-s3'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { createS3Client } from './s3-client.ts'
import { translateS3Error } from './translate.ts'

/** Makes the bucket when it is not there, for `freshet up`. @throws S3_UNREACHABLE, S3_UNAUTHORIZED, S3_REFUSED */
export async function ensureBucket(settings: Settings['s3']): Promise<void> {
  const client = createS3Client(settings)
  try {
    await client.send(new HeadBucketCommand({ Bucket: settings.bucket }))
  } catch (error) {
    const problem = translateS3Error(error, `bucket ${settings.bucket}`)
    if (problem.code !== 'BUCKET_MISSING') throw problem
    await client.send(new CreateBucketCommand({ Bucket: settings.bucket })).catch((cause: unknown) => {
      const failure = translateS3Error(cause, `create bucket ${settings.bucket}`)
      if (failure.code !== 'OBJECT_CHANGED') throw failure // 409: someone else has just made it
    })
  } finally {
    client.destroy()
  }
}

/**
 * Whether the key may list all buckets of the account, which nothing in Freshet does.
 * @throws S3_UNREACHABLE, S3_REFUSED
 */
export async function mayListBuckets(settings: Settings['s3'], signal: AbortSignal): Promise<boolean> {
  const client = createS3Client(settings)
  try {
    await client.send(new ListBucketsCommand({ MaxBuckets: 1 }), { abortSignal: signal })
    return true
  } catch (error) {
    const { code, message } = translateS3Error(error, 'list buckets')
    if (code === 'S3_UNAUTHORIZED') return false
    throw new FreshetError(code, message, { cause: error })
  } finally {
    client.destroy()
  }
}
