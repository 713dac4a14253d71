import { z } from 'zod'

/** How often scores are written to S3, when their files are merged, and how soon they are read. */
export const snapshotSchema = z
  .strictObject({
    intervalSeconds: z.number().min(0.1).max(3_600).default(60).describe('Time between two deltas.'),
    mergeShare: z
      .number()
      .min(0.01)
      .max(10)
      .default(0.25)
      .describe('Deltas are merged into the base when they reach this share of its rows;'),
    maxDeltas: z
      .int()
      .min(1)
      .max(1_000)
      .default(20)
      .describe('and the newest of them into one delta when there are this many.'),
    maxBufferedRows: z
      .int()
      .min(1_000)
      .default(250_000)
      .describe(
        'A delta is written early at this many rows; about 100 bytes each, and as many may wait behind it.',
      ),
    tombstoneTtlSeconds: z
      .int()
      .min(60)
      .max(10 * 365 * 86_400)
      .default(7 * 24 * 3600)
      .describe(
        'How long a new base keeps a delete, so that a late older write cannot bring the key back. Must exceed the longest pause of a scorer.',
      ),
    followSeconds: z
      .number()
      .min(0.1)
      .max(3_600)
      .default(5)
      .describe('How often the gateway looks for a new snapshot.'),
  })
  .prefault({})
