import { z } from 'zod'

/** How a process scores, and what else it does with the scores. */
export const scorerSchema = z
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
      .describe(
        'Inference threads; auto: one for each core. Each holds the model. Trees out of tables need one, whatever is set.',
      ),
    runRows: z
      .union([z.int().min(1).max(100_000), z.enum(['auto'])], 'auto, or a whole number from 1 to 100000')
      .default('auto')
      .describe(
        'Rows in one call of the model; auto: as many as cost the least, tried when it is loaded. Of trees out of tables it makes no difference.',
      ),
    rescoreShare: z
      .number()
      .min(0.01)
      .max(1)
      .default(0.25)
      .describe(
        'Largest share of the time that scoring again with a newly promoted model may take, and a shadow with it; fresh changes go first.',
      ),
  })
  .prefault({})
