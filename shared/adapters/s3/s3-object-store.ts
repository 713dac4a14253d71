import type { Buffer } from 'node:buffer'
import {
  type _Object,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { redactUrl } from '@freshet/config/redact.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type {
  ListedObject,
  ObjectStore,
  PutCondition,
  StoredObject,
  Upload,
} from '@freshet/ports/object-store.ts'
import { isIntact, readBody } from './read-body.ts'
import { createS3Client } from './s3-client.ts'
import { abortUploads, S3Upload } from './s3-upload.ts'
import { translateS3Error } from './translate.ts'

/** No request is made before the first call. @throws CONFIG_INVALID when only half of the key pair is given */
export function openS3(settings: Settings['s3']): S3ObjectStore {
  return new S3ObjectStore(settings, createS3Client(settings))
}

/**
 * Objects of one bucket under `s3.prefix`. Each call is tried up to three times by the client; each try waits at most
 * `s3.requestTimeoutMs` for an answer.
 * @throws S3_UNREACHABLE, S3_UNAUTHORIZED, S3_REFUSED, BUCKET_MISSING from every method; DEADLINE when its signal aborts
 */
export class S3ObjectStore implements ObjectStore {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #prefix: string
  readonly #timeoutMs: number
  /** For messages. */
  readonly #server: string

  constructor({ bucket, prefix, endpoint, region, requestTimeoutMs }: Settings['s3'], client: S3Client) {
    this.#client = client
    this.#bucket = bucket
    this.#prefix = `${prefix}/`
    this.#timeoutMs = requestTimeoutMs
    this.#server = endpoint === undefined ? `AWS in ${region}` : redactUrl(endpoint)
  }

  async get(key: string, signal?: AbortSignal): Promise<StoredObject> {
    let last: StoredObject | undefined
    for (let reads = 0; reads < MAX_READS; reads++) {
      const { answer, body } = await this.#read(`get ${key}`, this.#at(key), signal)
      const object = { body, etag: etagOf(answer, `get ${key}`) }
      // A server that overwrites in place can pair old bytes with a new etag. One that does not take the MD5 for its
      // etag is believed when it says the same twice.
      const isSame = last !== undefined && last.etag === object.etag && last.body.equals(body)
      if (isIntact(answer, body) || isSame) return object
      last = object
    }
    throw new FreshetError('S3_UNREACHABLE', `get ${key}: it changed while it was read, ${MAX_READS} times`)
  }

  async getRange(
    key: string,
    { from, to }: { from: number; to: number },
    signal?: AbortSignal,
  ): Promise<Buffer> {
    const range = { ...this.#at(key), Range: `bytes=${from}-${to - 1}` }
    return (await this.#read(`get ${key} from ${from} to ${to}`, range, signal)).body
  }

  async put(key: string, body: Uint8Array, condition?: PutCondition, signal?: AbortSignal): Promise<string> {
    const only =
      condition === undefined
        ? {}
        : condition === 'absent'
          ? { IfNoneMatch: '*' }
          : { IfMatch: condition.ifMatch }
    try {
      return await this.#ask(`put ${key}`, signal, async (options) => {
        const answer = await this.#client.send(
          new PutObjectCommand({ ...this.#at(key), Body: body, ...only }),
          options,
        )
        return etagOf(answer, `put ${key}`)
      })
    } catch (error) {
      // If-Match on a key that is gone answers "no such key": the version we meant is not there any more.
      if (!isFreshetError(error, 'OBJECT_MISSING')) throw error
      throw new FreshetError('OBJECT_CHANGED', error.message, { cause: error })
    }
  }

  beginUpload(key: string, signal?: AbortSignal): Promise<Upload> {
    return S3Upload.begin(
      this.#client,
      this.#at(key),
      (doing, work, signal) => this.#ask(doing, signal, work),
      signal,
    )
  }

  abortUploads(prefix: string, begunBeforeMs: number, signal?: AbortSignal): Promise<number> {
    return this.#ask(`give up uploads of ${prefix}`, signal, (options) =>
      abortUploads(this.#client, { ...this.#at(prefix), begunBeforeMs }, options),
    )
  }

  async list(prefix: string, signal?: AbortSignal): Promise<readonly ListedObject[]> {
    const objects: ListedObject[] = []
    let from: string | undefined
    do {
      const page = await this.#ask(`list ${prefix}`, signal, (options) =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: this.#prefix + prefix,
            ContinuationToken: from,
          }),
          options,
        ),
      )
      for (const object of page.Contents ?? []) objects.push(this.#listed(object, prefix))
      const next = page.NextContinuationToken
      if (next !== undefined && next === from)
        throw new FreshetError('S3_REFUSED', `list ${prefix}: the list comes to no end`)
      from = next
    } while (from !== undefined)
    return objects
  }

  #listed({ Key, Size, LastModified }: _Object, prefix: string): ListedObject {
    const modifiedAtMs = LastModified?.getTime() ?? Number.NaN
    if (Key === undefined || !Number.isSafeInteger(Size) || Number.isNaN(modifiedAtMs))
      throw new FreshetError('S3_REFUSED', `list ${prefix}: an object without its name, size or time`)
    return { key: Key.slice(this.#prefix.length), bytes: Size!, modifiedAtMs }
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    await this.#ask(`delete ${key}`, signal, (options) =>
      this.#client.send(new DeleteObjectCommand(this.#at(key)), options),
    ).catch((error: unknown) => {
      if (!isFreshetError(error, 'OBJECT_MISSING')) throw error
    })
  }

  urlOf(key: string): string {
    return `s3://${this.#bucket}/${this.#prefix}${key}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy()
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key }
  }

  async #ask<T>(
    doing: string,
    signal: AbortSignal | undefined,
    work: (options: { abortSignal?: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    try {
      return await work(signal === undefined ? {} : { abortSignal: signal })
    } catch (error) {
      if (signal?.aborted)
        throw new FreshetError('DEADLINE', `${doing}: no answer from ${this.#server} (s3.endpoint) in time`, {
          cause: error,
        })
      throw translateS3Error(error, `${doing} at ${this.#server}`)
    }
  }

  /** A body that stops half-way is asked for again, a little more patiently each time. */
  async #read(
    doing: string,
    what: GetObjectCommandInput,
    signal?: AbortSignal,
  ): Promise<{ answer: GetObjectCommandOutput; body: Buffer }> {
    for (const idleMs of [1_000, 5_000, this.#timeoutMs]) {
      const read = await this.#ask(doing, signal, async (options) => {
        const answer = await this.#client.send(new GetObjectCommand(what), options)
        return { answer, body: await readBody(answer, Math.min(idleMs, this.#timeoutMs), signal) }
      })
      if (read.body !== undefined) return { answer: read.answer, body: read.body }
    }
    throw new FreshetError('S3_UNREACHABLE', `${doing}: the answer stopped half-way, three times`)
  }
}

const MAX_READS = 5

/** Without it, a put that is to replace only what was read would replace anything. */
function etagOf({ ETag }: { readonly ETag?: string | undefined }, doing: string): string {
  if (ETag !== undefined) return ETag
  throw new FreshetError('S3_REFUSED', `${doing}: the answer has no ETag; see what stands before the store`)
}
