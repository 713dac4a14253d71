import type { Settings } from '@freshet/config/schema.ts'
import type { ReadingProgram } from '@freshet/snapshot/thread/reading-thread.ts'

export interface ReadingFromS3 {
  readonly s3: Settings['s3']
  /** Of promptReads. */
  readonly patience: Float64Array
}

const PROGRAM = new URL('./s3-reading-worker.ts', import.meta.url)

/** A thread with an S3 client of its own. */
export function readingFromS3(s3: Settings['s3'], patience: Float64Array): ReadingProgram {
  return { url: PROGRAM, data: { s3, patience } satisfies ReadingFromS3 }
}
