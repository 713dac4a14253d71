/** Settings of the watchdog that say where its status page is, and who may see it. */
import { z } from 'zod'
import { apiKeySchema } from './gateway-access.ts'

const pageKeySchema = apiKeySchema.pick({ name: true, sha256: true })

export const watchdogPageShape = {
  pageHost: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address where the status page listens. Anything but loopback needs watchdog.pageKeys.'),
  pagePort: z
    .int()
    .min(0)
    .max(65_535)
    .nullable()
    .default(8081)
    .describe(
      'Port of the status page; 0 picks a free one, null shows no page. Where it is taken, the watchdog watches without a page and tries again.',
    ),
  pageKeys: z
    .array(pageKeySchema)
    .default([])
    .describe(
      'Keys for the status page, made by `freshet key new --page`; none are needed on loopback. Browsers ask for one as a password, with any user name.',
    ),
}
