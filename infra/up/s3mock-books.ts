import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FreshetError } from '@freshet/errors/errors.ts'

/**
 * S3Mock keeps a bucket's list of objects in one file and rewrites it in place: killed in between, it leaves the file
 * empty, starts all the same, and answers 500 to everything.
 * @param objects folder of its buckets
 * @throws SERVICE_START_FAILED when such a list cannot be read
 */
export function checkBooks(objects: string): void {
  for (const entry of readdirSync(objects, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue
    const file = join(objects, entry.name, 'bucketMetadata.json')
    try {
      JSON.parse(readFileSync(file, 'utf8'))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') continue
      throw new FreshetError(
        'SERVICE_START_FAILED',
        `s3: ${file} is damaged, since S3Mock was killed while it wrote there; its objects cannot be found without it. ` +
          `Remove ${objects}, start again and push the model again: snapshots are written anew from what Kafka has. ` +
          'For data that must last, name a real S3 in s3.endpoint',
        { cause },
      )
    }
  }
}
