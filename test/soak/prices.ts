import { S3_KINDS, type S3Kind } from './s3-kinds.ts'

/**
 * What S3 costs, as an assumption: put the prices of your provider here, then `npm run reference`. These are the list
 * prices of AWS, S3 Standard, us-east-1, in US dollars without tax, as they were published in 2025; they were not looked up
 * again when the figures were made. Traffic within the region costs nothing there, and neither do deletes.
 */
export const PRICES = {
  source: 'AWS list, S3 Standard, us-east-1, 2025',
  /** PUT, COPY, POST, LIST. */
  dollarsPerThousandWrites: 0.005,
  /** GET, HEAD and all others. */
  dollarsPerThousandReads: 0.0004,
  /** First 50 TB of a month; larger ones cost some 5 to 10 % less. */
  dollarsPerGigabyteMonth: 0.023,
} as const

const FREE: readonly S3Kind[] = ['DeleteObject', 'AbortMultipartUpload']
const READS: readonly S3Kind[] = ['GetObject', 'HeadObject', 'other']

export function dollarsOfRequests(requests: Readonly<Partial<Record<S3Kind, number>>>): number {
  return S3_KINDS.reduce((sum, kind) => sum + ((requests[kind] ?? 0) / 1_000) * dollarsPerThousand(kind), 0)
}

function dollarsPerThousand(kind: S3Kind): number {
  if (FREE.includes(kind)) return 0
  return READS.includes(kind) ? PRICES.dollarsPerThousandReads : PRICES.dollarsPerThousandWrites
}
