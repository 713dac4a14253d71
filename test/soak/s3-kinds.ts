/** Calls by the names that S3's price list has for them. */
export const S3_KINDS = [
  'PutObject',
  'CreateMultipartUpload',
  'UploadPart',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
  'ListObjects',
  'ListMultipartUploads',
  'GetObject',
  'HeadObject',
  'DeleteObject',
  'other',
] as const

export type S3Kind = (typeof S3_KINDS)[number]

/** @param target path and query as they stand in the request line */
export function kindOfRequest(method: string, target: string): S3Kind {
  const { pathname, searchParams } = new URL(target, 'http://s3')
  const isObject = pathname.split('/').filter((part) => part !== '').length > 1
  if (searchParams.has('uploads')) return method === 'POST' ? 'CreateMultipartUpload' : 'ListMultipartUploads'
  if (searchParams.has('uploadId')) return OF_UPLOADS[method] ?? 'other'
  return (isObject ? OF_OBJECTS[method] : OF_BUCKETS[method]) ?? 'other'
}

const OF_UPLOADS: Readonly<Record<string, S3Kind>> = {
  PUT: 'UploadPart',
  POST: 'CompleteMultipartUpload',
  DELETE: 'AbortMultipartUpload',
}
const OF_OBJECTS: Readonly<Record<string, S3Kind>> = {
  PUT: 'PutObject',
  GET: 'GetObject',
  HEAD: 'HeadObject',
  DELETE: 'DeleteObject',
}
const OF_BUCKETS: Readonly<Record<string, S3Kind>> = { GET: 'ListObjects' }
