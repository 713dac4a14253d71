import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { addAbortSignal, type Readable } from 'node:stream'
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3'
import { TimeSlice } from '@freshet/stage/time-slice.ts'

/** The whole body; undefined when nothing came for `idleMs`, although more was announced. */
export async function readBody(
  answer: GetObjectCommandOutput,
  idleMs: number,
  signal: AbortSignal | undefined,
): Promise<Buffer | undefined> {
  const idle = new AbortController()
  const timer = setTimeout(() => idle.abort(), idleMs)
  const end = signal === undefined ? idle.signal : AbortSignal.any([idle.signal, signal])
  // Where its length is told, a body goes to its place piece by piece: some MB at once would hold the event loop. What is
  // told is not allocated beyond that before it has come.
  const whole = Buffer.allocUnsafeSlow(Math.min(answer.ContentLength ?? 0, MAX_TOLD_BYTES))
  const beyond: Buffer[] = []
  let length = 0
  const slice = new TimeSlice()
  try {
    for await (const chunk of addAbortSignal(end, answer.Body as Readable) as AsyncIterable<Buffer>) {
      if (beyond.length === 0 && length + chunk.length <= whole.length) length += chunk.copy(whole, length)
      else beyond.push(chunk)
      timer.refresh()
      // A socket gives up to 2 MB in one turn of the loop as long as somebody takes them.
      const pause = slice.pause()
      if (pause !== undefined) await pause
    }
    const told = length === whole.length ? whole : whole.subarray(0, length)
    return beyond.length === 0 ? told : Buffer.concat([told, ...beyond])
  } catch (error) {
    if (idle.signal.aborted && !signal?.aborted) return undefined
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** A row group of a snapshot, or the pieces of one that are read together, are less. */
const MAX_TOLD_BYTES = 32 * 1024 * 1024

/**
 * Whether body and etag belong together as far as can be told: the etag of an object put in one piece is its MD5, unless
 * it was encrypted with other keys than the store's own.
 */
export function isIntact(
  { ETag, ServerSideEncryption, SSECustomerAlgorithm }: GetObjectCommandOutput,
  body: Buffer,
) {
  const md5 = /^"([0-9a-f]{32})"$/.exec(ETag ?? '')?.[1]
  const isDigest = !ServerSideEncryption?.startsWith('aws:kms') && SSECustomerAlgorithm === undefined
  return md5 === undefined || !isDigest || md5 === createHash('md5').update(body).digest('hex')
}
