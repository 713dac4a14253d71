import { Buffer, isUtf8 } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import { parseJson } from '@freshet/records/parse-with.ts'
import type { z } from 'zod'
import { bodyEndsAtMs } from '../server/deadline.ts'
import { inTime } from '../server/waits.ts'
import { assertModest } from './body-shape.ts'
import type { Asked, Call } from './call.ts'
import { pointerTo, RequestFault } from './request-fault.ts'

const MAX_FAULTS = 10

/**
 * The body of a request, checked. Unknown fields are refused.
 * @throws REQUEST_INVALID, REQUEST_TOO_LARGE, MEDIA_TYPE_UNSUPPORTED, TRANSFER_CODING_UNSUPPORTED, OVERLOADED, DEADLINE
 *   when it is not all there in time
 */
export function readBody<T>(call: Call, schema: Schema<T>, maxBytes: number): T | Promise<T> {
  const { request } = call
  checkMediaType(request.headers)
  if (Number(request.headers.get('content-length')) > maxBytes) throw tooLarge(maxBytes)
  if ('wholeBody' in request) return parsed(call, request.wholeBody, schema)
  return inTime(readBytes(request, maxBytes), bodyEndsAtMs(call.deadline)).then((bytes) => {
    if (bytes !== undefined) return parsed(call, bytes, schema)
    throw new FreshetError('DEADLINE', 'the body was not all there before the deadline')
  })
}

type Schema<T> = z.ZodType<T> | ((value: unknown) => z.ZodType<T>)

function parsed<T>(call: Call, bytes: Buffer, schema: Schema<T>): T {
  call.begin(bytes.length)
  if (!isUtf8(bytes)) throw invalid('the body is not UTF-8')
  const text = bytes.toString()
  assertModest(text)
  const value = parseJson(text, { code: 'REQUEST_INVALID', what: 'the body' })
  return checked(typeof schema === 'function' ? schema(value) : schema, value)
}

/** @throws REQUEST_INVALID, with every place that is wrong, up to ten */
function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const faults = result.error.issues
    .slice(0, MAX_FAULTS)
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ at: pointerTo([...issue.path, key]), message: 'unknown field' }))
        : [{ at: pointerTo(issue.path), message: issue.message }],
    )
  const { at, message } = faults[0]!
  throw new RequestFault(
    'REQUEST_INVALID',
    `the body: ${at || 'top level'}: ${message}`,
    faults.slice(0, MAX_FAULTS),
  )
}

function invalid(message: string, at = ''): RequestFault {
  return new RequestFault('REQUEST_INVALID', message, [{ at, message }])
}

/** @throws MEDIA_TYPE_UNSUPPORTED, TRANSFER_CODING_UNSUPPORTED */
function checkMediaType(headers: Asked['headers']): void {
  const type = headers.get('content-type') ?? ''
  if (!/^application\/json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?;?\s*$/i.test(type))
    throw new FreshetError('MEDIA_TYPE_UNSUPPORTED', 'the content type is not application/json')
  const coding = headers.get('transfer-encoding')
  if (coding !== null && coding.trim().toLowerCase() !== 'chunked')
    throw new FreshetError('TRANSFER_CODING_UNSUPPORTED', `the body comes as ${coding}`)
  const encoding = headers.get('content-encoding')
  if (encoding !== null && encoding.toLowerCase() !== 'identity')
    throw new FreshetError('MEDIA_TYPE_UNSUPPORTED', 'the body is compressed')
}

async function readBytes(
  request: Exclude<Asked, { readonly wholeBody: unknown }>,
  maxBytes: number,
): Promise<Buffer> {
  if (request.headers.get('content-length') !== null) return Buffer.from(await request.arrayBuffer())
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge(maxBytes: number): FreshetError {
  return new FreshetError('REQUEST_TOO_LARGE', `the body has more than ${maxBytes} bytes`)
}
