import { type ErrorCode, FreshetError } from '@freshet/errors/errors.ts'

/** What the S3 client throws, as one of ours: by error code and status, never by wording. */
export function translateS3Error(error: unknown, doing: string): FreshetError {
  if (error instanceof FreshetError) return error
  // The response hangs on its request, signature and all: not for logs.
  if (error instanceof Error) Reflect.deleteProperty(error, '$response')
  const { name = '', message = String(error), $metadata } = (error ?? {}) as Partial<S3Failure>
  return new FreshetError(codeOf(name, $metadata?.httpStatusCode, error), `${doing}: ${name} ${message}`, {
    cause: error,
  })
}

interface S3Failure {
  readonly name: string
  readonly message: string
  readonly $metadata: { readonly httpStatusCode?: number }
}

function codeOf(name: string, status: number | undefined, error: unknown): ErrorCode {
  if (name === 'CredentialsProviderError') return 'S3_UNAUTHORIZED'
  if (status === undefined) return isTransport(name, error) ? 'S3_UNREACHABLE' : 'BUG'
  if (name === 'NoSuchBucket') return 'BUCKET_MISSING'
  if (name === 'NoSuchKey') return 'OBJECT_MISSING'
  if (name === 'NoSuchUpload') return 'UPLOAD_GONE'
  if (name === 'NotFound') return 'BUCKET_MISSING' // a HEAD has no body to name a code; s3-upload.ts, which asks so for an object, looks for itself
  if (status === 412 || status === 409) return 'OBJECT_CHANGED'
  if (status === 401 || status === 403) return 'S3_UNAUTHORIZED'
  // 200: the answer began well and was cut off, or was no XML.
  if (status === 429 || status >= 500 || status === 200) return 'S3_UNREACHABLE'
  return 'S3_REFUSED'
}

/** Failures below HTTP carry Node's `code`; time-outs and aborted bodies carry a name. */
function isTransport(name: string, error: unknown): boolean {
  return (
    name === 'TimeoutError' ||
    name === 'AbortError' ||
    typeof (error as NodeJS.ErrnoException | undefined)?.code === 'string'
  )
}
