import { z } from 'zod'

/** Deletes leave no trace that a search finds: a sweep compares what lives with what the snapshot holds. */
export const sweepSchema = z
  .strictObject({
    pauseSeconds: z
      .number()
      .min(0.1)
      .max(86_400)
      .default(60)
      .describe(
        'Shortest time between two sweeps for deletes; shards in which nothing was deleted are left out.',
      ),
    maxAgeSeconds: z
      .number()
      .min(1)
      .max(30 * 86_400)
      .default(86_400)
      .describe('A shard is swept after this time even when no delete was counted.'),
    maxMemoryBytes: z
      .int()
      .min(1024 * 1024)
      .default(256 * 1024 * 1024)
      .describe(
        'Memory of a sweep or of `freshet verify`, 16 bytes a document: shards beyond it wait for the next turn. One shard is always read, whatever it takes.',
      ),
  })
  .prefault({})
