import { openS3, type S3ObjectStore } from '@freshet/adapters/s3/s3-object-store.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import { refuseForeignSnapshot } from '@freshet/snapshot/manifest.ts'
import { tellWhile } from '../tell-while.ts'

/** S3 that has not given one small answer by then is away, whatever its sockets say. */
const ANSWERS_WITHIN_MS = 10_000
/** Whole models travel, over lines of any speed. */
const MOVES_WITHIN_MS = 15 * 60_000

export interface StoreTask {
  /** As it stands in messages, e.g. `pushing delay@2`. */
  readonly doing: string
  /** It changes which model scores: refused where s3.prefix is another pipeline's. Whole models travel for that. */
  readonly changes?: boolean
}

/**
 * Does `work` on the store, and says so when it takes a while.
 * @throws S3_UNREACHABLE when the store does not answer in time; CONFIG_INVALID when s3.prefix is another pipeline's
 */
export async function withStore<T>(
  { s3, pipeline }: Settings,
  { doing, changes = false }: StoreTask,
  work: (store: S3ObjectStore, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  await using store = openS3(s3)
  return await tellWhile(doing, async () => {
    const soon = AbortSignal.timeout(ANSWERS_WITHIN_MS)
    if (changes) await refuseForeignSnapshot(store, pipeline, soon)
    const signal = changes && !soon.aborted ? AbortSignal.timeout(MOVES_WITHIN_MS) : soon
    return await work(store, signal).catch((error: unknown) => {
      if (!signal.aborted || !isFreshetError(error, 'DEADLINE')) throw error
      throw new FreshetError('S3_UNREACHABLE', `${doing}: ${error.message}`, { cause: error })
    })
  })
}
