/** Program of ReadingThread: snapshot files from S3. What it has open ends with the thread. */
import { workerData } from 'node:worker_threads'
import { answerReads } from '@freshet/snapshot/thread/answer-reads.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { lowerThreadPriority } from '@freshet/stage/thread-priority.ts'
import type { ReadingFromS3 } from './reading-from-s3.ts'

/** Where cores are short, answers come first: a tenth of one is left to reading. */
const NICENESS = 10

lowerThreadPriority(NICENESS)
const { s3, patience } = workerData as ReadingFromS3
// Only now: loading the client of S3 is work, too.
const { openS3 } = await import('@freshet/adapters/s3/s3-object-store.ts')
const { promptReads } = await import('@freshet/snapshot/prompt-reads.ts')
answerReads(promptReads(openS3(s3), systemClock, patience))
