import { z } from 'zod'
import { secret } from './secret.ts'

/** Settings of `telemetry` that speak of single documents and answers. */
export const telemetryDocumentsShape = {
  traceOneIn: z
    .int()
    .min(0)
    .max(1_000_000_000)
    .default(10_000)
    .describe(
      'One change in so many leaves a span at each step, from the poll to the gateway; 0: only documents named by `freshet trace`. The same number for every service.',
    ),
  answerLinesPerSecond: z
    .number()
    .min(0)
    .max(1_000)
    .default(1)
    .describe(
      'Answers of the gateway that are logged with key, source, age, latency and model, in each worker; after a pause up to ten at once. Each line says how many answers before it were not. 0: none.',
    ),
  keySalt: secret
    .optional()
    .describe(
      'When set, spans and logs show keys of documents only as a hash with this salt, the same in all services: a long random text.',
    ),
}
