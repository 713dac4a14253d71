import { z } from 'zod'
import { apiKeySchema, tlsSchema } from './gateway-access.ts'
import { rankSchema } from './gateway-rank.ts'
import { gatewaySnapshotSchema } from './gateway-snapshot.ts'

/** Where the gateway listens, whom it answers, and for how long it may look for the answer. */
export const gatewaySchema = z
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
    threads: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .describe(
        'Inference threads for live scores, of each worker. Trees out of tables need one, whatever is set.',
      ),
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
    rank: rankSchema,
  })
  .prefault({})
