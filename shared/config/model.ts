import { z } from 'zod'

/** How a promoted model is noticed. */
export const modelSchema = z
  .strictObject({
    pointerIntervalMs: z
      .int()
      .min(100)
      .max(600_000)
      .default(5_000)
      .describe(
        'How often the pointer to the promoted model is read. Up to 5000, a promotion is in use everywhere within 10 s.',
      ),
  })
  .prefault({})
