import { z } from 'zod'
import { secret } from './secret.ts'

/** Where models and snapshots are kept. */
export const s3Schema = z
  .strictObject({
    bucket: z.string().min(1).default('freshet').describe('Bucket for models and snapshots.'),
    prefix: z
      .string()
      .regex(/^[^/].*[^/]$|^[^/]$/, 'no slash at either end')
      .regex(/^(?!(.*\/)?\.{1,2}(\/|$))/, 'no `.` or `..` between slashes')
      .default('freshet')
      .describe('Start of every object key.'),
    endpoint: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Address of an S3 server other than AWS.'),
    region: z.string().min(1).default('us-east-1').describe('Region that requests are signed for.'),
    accessKeyId: z.string().min(1).optional().describe('Access key; else the standard AWS credential chain.'),
    secretAccessKey: secret.optional().describe('Secret of the access key.'),
    requestTimeoutMs: z.int().min(100).max(600_000).default(30_000).describe('Longest wait for one answer.'),
  })
  .prefault({})
