/** Settings of the gateway that say who may ask it, and how. */
import { z } from 'zod'

/** What a key may ask for. `rank:raw` is `rank` with a query of the caller's own; `metrics` is the page for Prometheus. */
export const SCOPES = ['lookup', 'predict', 'rank', 'rank:raw', 'metrics'] as const
export type Scope = (typeof SCOPES)[number]

/** Sixty-four digits without a letter among them, or one e, are a number to YAML where no quotes stand around them. */
const SHA256 = '64 lower-case hex digits, in quotes'
const RATE = 'a number from 0.01 to 1000000'
const BURST = 'a whole number from 1 to 1000000'

export const apiKeySchema = z.strictObject({
  name: z
    .string()
    .refine(isName, 'up to 200 characters of one line, and not only blanks')
    .describe('Who holds it.'),
  sha256: z
    .string(SHA256)
    .regex(/^[0-9a-f]{64}$/, SHA256)
    .describe('SHA-256 of the key, in hex.'),
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .default(['lookup', 'predict', 'rank'])
    .describe('What it may ask for.'),
  requestsPerSecond: z
    .number(RATE)
    .min(0.01, RATE)
    .max(1_000_000, RATE)
    .optional()
    .describe('How often it may ask in the long run; without it, as often as it likes.'),
  burst: z
    .int(BURST)
    .min(1, BURST)
    .max(1_000_000, BURST)
    .optional()
    .describe('Requests at once after a pause; without it, those of a second.'),
})

/** It stands in log lines and metrics. */
function isName(text: string): boolean {
  return (
    text.trim() !== '' && text.length <= 200 && text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)
  )
}

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
