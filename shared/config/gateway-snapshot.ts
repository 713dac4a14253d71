import { z } from 'zod'

/** Where the gateway has the snapshot. */
export const gatewaySnapshotSchema = z
  .strictObject({
    mode: z
      .enum(['auto', 'memory', 'ranges', 'off'])
      .default('auto')
      .describe(
        'memory: the whole snapshot. ranges: small files, and pages of S3 when Redis has nothing of a key, or is not heard. auto: memory, unless it needs more than memoryMiB. off: not at all.',
      ),
    memoryMiB: z
      .int()
      .min(1)
      .max(1024 * 1024)
      .default(1024)
      .describe(
        'Memory for the snapshot: up to 56 bytes a key with one output, 8 more for each further one, and with elasticsearch.versionField. In mode memory it is not looked at: all is loaded.',
      ),
  })
  .prefault({})
