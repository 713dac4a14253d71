/** What the watchdog looks at how often, what it finds wrong, and where its page is. */
import { z } from 'zod'
import { rulesSchema } from './alert-rules.ts'
import { watchdogPageShape } from './watchdog-page.ts'

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
    resolveSeconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(15)
      .describe('A firing alert is over when what it is about was not found for so long.'),
    repeatHours: z.number().min(0.01).default(4).describe('A firing alert is repeated after this time.'),
    runbookUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        'Where people find docs/runbooks, for links in messages: such as https://git.example/freshet/blob/main/docs/runbooks. Without it messages name the file.',
      ),
    rules: rulesSchema,
    ...watchdogPageShape,
  })
  .prefault({})
