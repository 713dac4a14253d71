/** What the watchdog looks at how often, what it finds wrong, and where its page is. */
import { z } from 'zod'
import { rulesSchema } from './alert-rules.ts'
import { watchdogPage } from './watchdog-page.ts'

export const watchdogSchema = z
  .strictObject({
    intervalSeconds: z
      .number()
      .min(0.1)
      .max(600)
      .default(5)
      .describe('Time between two looks at heartbeats and consumer groups.'),
    serverIntervalSeconds: z
      .number()
      .min(0.1)
      .max(600)
      .default(10)
      .describe(
        'Time between two looks at Elasticsearch, Redis and S3; one that did not answer is asked again after watchdog.intervalSeconds.',
      ),
    repeatHours: z.number().min(0.01).default(4).describe('A firing alert is repeated after this time.'),
    rules: rulesSchema,
    ...watchdogPage,
  })
  .prefault({})
