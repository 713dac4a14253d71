/**
 * Every setting of Freshet: type, bounds, default and help in one place. Environment names, the messages for wrong
 * values and `docs/reference/config.md` are made from it.
 */
import { z } from 'zod'
import { alertsSchema, slackSchema } from './alert-routes.ts'
import { apiKeySchema, tlsSchema } from './gateway-access.ts'
import { rank } from './gateway-rank.ts'
import { gatewaySnapshotSchema } from './gateway-snapshot.ts'
import { kibanaSchema } from './kibana.ts'
import { secret } from './secret.ts'
import { telemetry } from './telemetry.ts'
import { watchdogSchema } from './watchdog.ts'

const pipeline = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,63}$/, 'lower-case letters, digits, _ and -, starting with a letter')
  .default('freshet')
  .describe('Name of the pipeline: topics, consumer groups and Redis keys start with it.')

const elasticsearch = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
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

/** Deletes leave no trace that a search finds: a sweep compares what lives with what the snapshot holds. */
const sweep = z
  .strictObject({
    pauseSeconds: z
      .number()
      .min(0.1)
      .max(86_400)
      .default(60)
      .describe(
        'Shortest time between two sweeps for deletes; shards in which nothing was deleted are left out.',
      ),
    maxAgeSeconds: z
      .number()
      .min(1)
      .max(30 * 86_400)
      .default(86_400)
      .describe('A shard is swept after this time even when no delete was counted.'),
    maxMemoryBytes: z
      .int()
      .min(1024 * 1024)
      .default(256 * 1024 * 1024)
      .describe(
        'Memory of a sweep or of `freshet verify`, 16 bytes a document: shards beyond it wait for the next turn. One shard is always read, whatever it takes.',
      ),
  })
  .prefault({})

const kafka = z
  .strictObject({
    brokers: z
      .array(z.string().regex(/^[^\s:]+:\d+$|^\[[0-9a-f:]+\]:\d+$/i, 'host:port'))
      .min(1)
      .default(['127.0.0.1:9092'])
      .describe('Brokers to ask first, as host:port.'),
    partitions: z
      .int()
      .min(1)
      .max(1_000)
      .default(8)
      .describe('Partitions of .changes and .scores; fixed at creation.'),
    replicationFactor: z.int().min(1).max(10).default(1).describe('Copies of each topic; fixed at creation.'),
    tls: z.boolean().default(false).describe('Speak TLS to the brokers.'),
    user: z.string().min(1).optional().describe('User for SASL.'),
    password: secret.optional().describe('Password for SASL.'),
    saslMechanism: z
      .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
      .default('scram-sha-512')
      .describe('How user and password are proved.'),
  })
  .prefault({})

const redis = z
  .strictObject({
    url: z
      .url({ protocol: /^rediss?$/ })
      .default('redis://127.0.0.1:6379')
      .describe('Address; may hold user:password.'),
    cluster: z
      .boolean()
      .default(false)
      .describe('The address is that of a node of a Redis Cluster, which tells where the others are.'),
    ttlSeconds: z
      .int()
      .min(0)
      .default(0)
      .describe('How long a score is kept; 0 keeps it until it is replaced. Must exceed the longest replay.'),
    tombstoneTtlSeconds: z
      .int()
      .min(60)
      .default(7 * 24 * 3600)
      .describe('How long a delete is remembered, so that a late older write cannot bring the key back.'),
  })
  .prefault({})

const s3 = z
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

const model = z
  .strictObject({
    pointerIntervalMs: z
      .int()
      .min(100)
      .max(600_000)
      .default(5_000)
      .describe(
        'How often the pointer to the promoted model is read. Up to 5000, a promotion is in use everywhere within 10 s.',
      ),
  })
  .prefault({})

const scorer = z
  .strictObject({
    workers: z
      .array(z.enum(['infer', 'cache', 'snapshot']))
      .min(1)
      .default(['infer', 'cache', 'snapshot'])
      .describe('What runs in this process: scoring, scores to Redis, scores to S3. Each scales alone.'),
    maxBatchRows: z
      .int()
      .min(1)
      .max(100_000)
      .default(2_000)
      .describe('A micro-batch is scored at this many rows,'),
    maxBatchBytes: z
      .int()
      .min(1_024)
      .default(4 * 1024 * 1024)
      .describe(
        'or this many bytes of documents. It waits for nothing: see docs/decisions/0003-micro-batch.md.',
      ),
    threads: z
      .union([z.int().min(1).max(64), z.enum(['auto'])], 'auto, or a whole number from 1 to 64')
      .default('auto')
      .describe('Inference threads; auto: one for each core. Each holds the model.'),
    runRows: z
      .union([z.int().min(1).max(100_000), z.enum(['auto'])], 'auto, or a whole number from 1 to 100000')
      .default('auto')
      .describe('Rows in one call of the model; auto: as many as cost the least, tried when it is loaded.'),
    rescoreShare: z
      .number()
      .min(0.01)
      .max(1)
      .default(0.25)
      .describe(
        'Largest share of the time that scoring again with a newly promoted model may take; fresh changes go first.',
      ),
  })
  .prefault({})

const snapshot = z
  .strictObject({
    intervalSeconds: z.number().min(0.1).max(3_600).default(60).describe('Time between two deltas.'),
    mergeShare: z
      .number()
      .min(0.01)
      .max(10)
      .default(0.25)
      .describe('Deltas are merged into the base when they reach this share of its rows;'),
    maxDeltas: z
      .int()
      .min(1)
      .max(1_000)
      .default(20)
      .describe('and the newest of them into one delta when there are this many.'),
    maxBufferedRows: z
      .int()
      .min(1_000)
      .default(250_000)
      .describe(
        'A delta is written early at this many rows; about 100 bytes each, and as many may wait behind it.',
      ),
    tombstoneTtlSeconds: z
      .int()
      .min(60)
      .max(10 * 365 * 86_400)
      .default(7 * 24 * 3600)
      .describe(
        'How long a new base keeps a delete, so that a late older write cannot bring the key back. Must exceed the longest pause of a scorer.',
      ),
    followSeconds: z
      .number()
      .min(0.1)
      .max(3_600)
      .default(5)
      .describe('How often the gateway looks for a new snapshot.'),
  })
  .prefault({})

const gateway = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('Address to listen on. Anything but loopback needs keys.'),
    port: z.int().min(0).max(65_535).default(8080).describe('Port; 0 picks a free one.'),
    deadlineMs: z
      .int()
      .min(5)
      .max(10_000)
      .default(100)
      .describe('Longest wait for an answer, from accept to last byte.'),
    redisBudgetMs: z
      .int()
      .min(1)
      .max(5_000)
      .default(20)
      .describe('Longest wait for Redis within the deadline.'),
    workers: z
      .union([z.int().min(1).max(64), z.enum(['auto'])], 'auto, or a whole number from 1 to 64')
      .default(1)
      .describe(
        'Processes that answer, behind one port; auto: one for each core. Each holds the snapshot and the model.',
      ),
    threads: z.int().min(1).max(64).default(1).describe('Inference threads for live scores, of each worker.'),
    snapshot: gatewaySnapshotSchema,
    keys: z
      .array(apiKeySchema)
      .default([])
      .describe('API keys, made by `freshet key new`; none are needed on loopback.'),
    hosts: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Names under which callers without a key may ask for the gateway, beside localhost and the addresses of loopback: such as that of a proxy before it.',
      ),
    tls: tlsSchema,
    default: z
      .number()
      .nullable()
      .default(null)
      .describe('Score when no source has one; null says so with null.'),
    maxBodyBytes: z
      .int()
      .min(1_024)
      .default(1024 * 1024)
      .describe('Largest request body.'),
    rank,
  })
  .prefault({})

export const settingsSchema = z.strictObject({
  pipeline,
  elasticsearch,
  sweep,
  kafka,
  redis,
  s3,
  model,
  scorer,
  snapshot,
  gateway,
  watchdog: watchdogSchema,
  slack: slackSchema,
  alerts: alertsSchema,
  telemetry,
  kibana: kibanaSchema,
})

export type Settings = z.infer<typeof settingsSchema>

/** Paths whose values are never shown. URLs are shown without their password. */
export const SECRETS: readonly string[] = [
  'alerts.pingUrl',
  'alerts.webhook.headers',
  'alerts.webhook.url',
  'elasticsearch.apiKey',
  'gateway.rank.apiKey',
  'kafka.password',
  'kibana.apiKey',
  's3.secretAccessKey',
  'slack.webhookUrl',
  'telemetry.apiKey',
  'telemetry.keySalt',
]
