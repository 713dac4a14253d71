/** Settings of the gateway that say who may ask it, and how. */
import { z } from 'zod'

/** What a key may ask for. `rank:raw` is `rank` with a query of the caller's own; `metrics` is the page for Prometheus. */
export const SCOPES = ['lookup', 'predict', 'rank', 'rank:raw', 'metrics'] as const
export type Scope = (typeof SCOPES)[number]

export const apiKeySchema = z.strictObject({
  name: z.string().min(1).describe('Who holds it.'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('SHA-256 of the key, in hex.'),
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .default(['lookup', 'predict', 'rank'])
    .describe('What it may ask for.'),
  requestsPerSecond: z
    .number()
    .min(0.01)
    .max(1_000_000)
    .optional()
    .describe('How often it may ask in the long run; without it, as often as it likes.'),
  burst: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('Requests at once after a pause; without it, those of a second.'),
})

export type ApiKey = z.infer<typeof apiKeySchema>

/** Certificate and key in PEM files; without them the gateway speaks plain HTTP. */
export const tlsSchema = z
  .strictObject({
    certFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'PEM file of the certificate, and those that lead to its authority: the gateway then speaks TLS (1.2 or later). Read again when it changes.',
      ),
    keyFile: z.string().min(1).optional().describe('PEM file of the private key of gateway.tls.certFile.'),
  })
  .prefault({})
