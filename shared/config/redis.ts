import { z } from 'zod'
import { serverAddress } from './server-address.ts'

/** Where the gateway looks for a score first. */
export const redisSchema = z
  .strictObject({
    url: serverAddress(/^rediss?$/)
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
