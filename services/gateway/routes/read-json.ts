import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import { parseWith } from '@freshet/records/parse-with.ts'
import type { z } from 'zod'
import { type Deadline, RESERVE_MS, whenLate } from '../server/deadline.ts'

/**
 * The body of a request, checked. Unknown fields are refused.
 * @throws REQUEST_INVALID, REQUEST_TOO_LARGE, DEADLINE when it is not all there in time
 */
export async function readJson<T>(
  request: Request,
  schema: z.ZodType<T>,
  limits: { readonly maxBytes: number; readonly deadline: Deadline },
): Promise<T> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? ''))
    throw new FreshetError('REQUEST_INVALID', 'the content type is not application/json')
  const text = await inTime(readText(request, limits.maxBytes), limits.deadline)
  return parseWith(schema, text, { code: 'REQUEST_INVALID', what: 'the body' })
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const announcedBytes = request.headers.get('content-length')
  if (Number(announcedBytes) > maxBytes) throw tooLarge(maxBytes)
  if (announcedBytes !== null) return request.text()
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function inTime<T>(work: Promise<T>, { endsAtMs }: Deadline): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = whenLate(Math.max(0, endsAtMs - RESERVE_MS - performance.now()), () =>
      reject(new FreshetError('DEADLINE', 'the body was not all there before the deadline')),
    )
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function tooLarge(maxBytes: number): FreshetError {
  return new FreshetError('REQUEST_TOO_LARGE', `the body has more than ${maxBytes} bytes`)
}
