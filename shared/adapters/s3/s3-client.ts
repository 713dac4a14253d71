import { S3Client } from '@aws-sdk/client-s3'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { NodeHttpHandler } from '@smithy/node-http-handler'

/** @throws CONFIG_INVALID when only half of the key pair is given */
export function createS3Client(settings: Settings['s3']): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey, requestTimeoutMs } = settings
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    throw new FreshetError('CONFIG_INVALID', 's3.accessKeyId and s3.secretAccessKey: give both or neither')
  return new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey } }),
    // Many S3 servers other than AWS refuse or damage the newer checksums; TLS and etags guard the bytes.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: new NodeHttpHandler({
      connectionTimeout: Math.min(requestTimeoutMs, 5_000),
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    }),
  })
}
