import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { timeLimit } from '@freshet/stage/time-limit.ts'

/** A read that takes longer is not waited for, but made again: with the pause before that, 5 s after a repair all is well. */
const WITHIN_MS = { first: 1_500, max: 3_000 }
/** What comes slower is given more time with each try. */
const BYTES_PER_MS = 1_024
const MAX_PATIENCE = 64

/**
 * The store with a time limit on its reads. A connection that hangs stays so when the store is mended: who waits on it
 * as long as the network does, half a minute or more, reads nothing new meanwhile.
 * @param patience one number, which threads that read the same store share
 * @throws S3_UNREACHABLE from reads that were not over in time
 */
export function promptReads(
  store: ObjectStore,
  clock: Pick<Clock, 'sleep'>,
  patience = sharedPatience(),
): ObjectStore {
  const never = new AbortController().signal
  const inTime = async <T>(
    key: string,
    bytes: number,
    signal: AbortSignal | undefined,
    read: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const times = patience[0]!
    const limitMs =
      Math.min(WITHIN_MS.max, WITHIN_MS.first * times) + Math.ceil((bytes / BYTES_PER_MS) * times)
    using limit = timeLimit(limitMs, { clock, signal: signal ?? never })
    try {
      const found = await read(limit.signal)
      if (bytes > 0) patience[0] = Math.max(1, patience[0]! / 2)
      return found
    } catch (cause) {
      if (signal?.aborted || !isFreshetError(cause, 'DEADLINE')) throw cause
      patience[0] = Math.min(MAX_PATIENCE, patience[0]! * 2)
      throw new FreshetError('S3_UNREACHABLE', `get ${key}: not there within ${limitMs} ms`, { cause })
    }
  }
  return {
    get: (key, signal) => inTime(key, 0, signal, (limited) => store.get(key, limited)),
    getRange: (key, range, signal) =>
      inTime(key, range.to - range.from, signal, (limited) => store.getRange(key, range, limited)),
    put: store.put.bind(store),
    beginUpload: store.beginUpload.bind(store),
    abortUploads: store.abortUploads.bind(store),
    list: store.list.bind(store),
    delete: store.delete.bind(store),
    urlOf: store.urlOf.bind(store),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

/** What a thread learns of the store's pace is there for the next: threads come and go, a store may stay slow. */
export function sharedPatience(): Float64Array {
  const patience = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT))
  patience[0] = 1
  return patience
}
