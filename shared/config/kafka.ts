import { z } from 'zod'
import { secret } from './secret.ts'

/** Where what is captured and what is scored travels. */
export const kafkaSchema = z
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
