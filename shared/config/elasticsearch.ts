import { z } from 'zod'
import { secret } from './secret.ts'
import { serverAddress } from './server-address.ts'

/** Whose documents are scored, and how their changes are found. */
export const elasticsearchSchema = z
  .strictObject({
    url: serverAddress(/^https?$/)
      .default('http://127.0.0.1:9200')
      .describe('Address; may hold user:password.'),
    index: z
      .string()
      .min(1)
      .default('documents')
      .describe('Index, alias or pattern whose documents are scored.'),
    apiKey: secret.optional().describe('Encoded API key, instead of a user and password in the URL.'),
    caFile: z.string().min(1).optional().describe('PEM file of the certificate authority, for https.'),
    key: z
      .union([z.enum(['index/id', 'id']), z.string().regex(/^field:.+$/, 'index/id, id or field:<path>')])
      .default('index/id')
      .describe(
        'What names a document in Freshet: its index and _id, the _id alone, or a field of the document, as field:<path>. The latter two must be unique in the whole pattern; where a document may move from one index to another, set elasticsearch.versionField too, or it can lose its score.',
      ),
    versionField: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Whole number in the document that rises with every write and decides where one key lives, or has lived, in several indices.',
      ),
    filter: z
      .record(z.string(), z.unknown(), 'a JSON object, such as {"term":{"status":"open"}}')
      .optional()
      .describe('Query of the documents that are scored; what leaves it is deleted in Freshet.'),
    softDeleteField: z
      .string()
      .min(1)
      .optional()
      .describe('Boolean in the document; where it is true the document counts as deleted.'),
    includeFields: z
      .array(z.string().min(1))
      .default([])
      .describe('Fields that travel, wildcards allowed; none named: all, byte for byte.'),
    excludeFields: z
      .array(z.string().min(1))
      .default([])
      .describe('Fields that stay behind, wildcards allowed.'),
    mode: z
      .enum(['seqNo', 'timestamp'])
      .default('seqNo')
      .describe(
        'How changes are found. timestamp is for indices without sequence numbers, and promises less: see docs/capture.md.',
      ),
    timestampField: z.string().min(1).optional().describe('In timestamp mode: the date of the last change.'),
    timestampOverlapSeconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(60)
      .describe('In timestamp mode: how late a document may become visible and still be found.'),
    goneGraceSeconds: z
      .number()
      .min(0)
      .max(30 * 86_400)
      .default(600)
      .describe(
        'How long an index may be gone before its keys are deleted. A closed index is not gone; in timestamp mode nothing is deleted.',
      ),
    pollIntervalMs: z
      .int()
      .min(10)
      .max(600_000)
      .default(250)
      .describe('Pause between two looks at the shards.'),
    pageRows: z.int().min(1).max(10_000).default(3_000).describe('Documents read in one page.'),
    maxPageBytes: z
      .int()
      .min(65_536)
      .max(512 * 1024 * 1024)
      .default(16 * 1024 * 1024)
      .describe('A page is read again with fewer documents beyond this; one document may always pass.'),
    requestTimeoutMs: z.int().min(100).max(600_000).default(30_000).describe('Longest wait for one answer.'),
  })
  .prefault({})
