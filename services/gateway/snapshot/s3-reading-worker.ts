/** Program of ReadingThread: snapshot files from S3. What it has open ends with the thread. */
import { workerData } from 'node:worker_threads'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { promptReads } from '@freshet/snapshot/prompt-reads.ts'
import { answerReads } from '@freshet/snapshot/thread/answer-reads.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { ReadingFromS3 } from './reading-from-s3.ts'

const { s3, patience } = workerData as ReadingFromS3
answerReads(promptReads(openS3(s3), systemClock, patience))
