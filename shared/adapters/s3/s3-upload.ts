import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { Upload } from '@freshet/ports/object-store.ts'

/** Full address of an object. */
interface ObjectAddress {
  readonly Bucket: string
  readonly Key: string
}

type CallOptions = { abortSignal?: AbortSignal }

/** Makes one call with its signal; what the client throws comes out as one of ours. */
type Ask = <T>(
  doing: string,
  work: (options: CallOptions) => Promise<T>,
  signal: AbortSignal | undefined,
) => Promise<T>

/** One multipart upload. */
export class S3Upload implements Upload {
  readonly #client: S3Client
  readonly #at: ObjectAddress & { readonly UploadId: string }
  readonly #ask: Ask
  readonly #parts: CompletedPart[] = []

  private constructor(client: S3Client, at: ObjectAddress & { readonly UploadId: string }, ask: Ask) {
    this.#client = client
    this.#at = at
    this.#ask = ask
  }

  static async begin(
    client: S3Client,
    at: ObjectAddress,
    ask: Ask,
    signal: AbortSignal | undefined,
  ): Promise<S3Upload> {
    const { UploadId } = await ask(
      `begin upload of ${at.Key}`,
      (options) => client.send(new CreateMultipartUploadCommand(at), options),
      signal,
    )
    if (UploadId === undefined)
      throw new FreshetError('S3_REFUSED', `begin upload of ${at.Key}: the answer names no upload`)
    return new S3Upload(client, { ...at, UploadId }, ask)
  }

  async putPart(number: number, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    const part = new UploadPartCommand({ ...this.#at, PartNumber: number, Body: bytes })
    const { ETag } = await this.#ask(
      `put part ${number} of ${this.#at.Key}`,
      (options) => this.#client.send(part, options),
      signal,
    )
    this.#parts[number - 1] = { PartNumber: number, ETag }
  }

  async complete(signal?: AbortSignal): Promise<void> {
    const whole = new CompleteMultipartUploadCommand({ ...this.#at, MultipartUpload: { Parts: this.#parts } })
    try {
      await this.#ask(
        `complete upload of ${this.#at.Key}`,
        (options) => this.#client.send(whole, options),
        signal,
      )
    } catch (error) {
      // It may be gone because an earlier try, whose answer never came, has completed it.
      if (!isFreshetError(error, 'UPLOAD_GONE') || !(await this.#isThere(signal))) throw error
    }
  }

  async abort(signal?: AbortSignal): Promise<void> {
    await this.#ask(
      `give up upload of ${this.#at.Key}`,
      (options) => this.#client.send(new AbortMultipartUploadCommand(this.#at), options),
      signal,
    ).catch((error: unknown) => {
      if (!isFreshetError(error, 'UPLOAD_GONE')) throw error
    })
  }

  #isThere(signal: AbortSignal | undefined): Promise<boolean> {
    const { Bucket, Key } = this.#at
    return this.#ask(
      `look for ${Key}`,
      (options) =>
        this.#client.send(new HeadObjectCommand({ Bucket, Key }), options).then(
          () => true,
          (error: { name?: unknown }) => {
            if (error.name === 'NotFound') return false
            throw error
          },
        ),
      signal,
    )
  }
}

/** @param which `Key` is what their keys begin with. @returns how many were given up */
export async function abortUploads(
  client: S3Client,
  { Bucket, Key, begunBeforeMs }: ObjectAddress & { readonly begunBeforeMs: number },
  options: CallOptions,
): Promise<number> {
  let count = 0
  let from: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {}
  while (from !== undefined) {
    const page: ListMultipartUploadsCommandOutput = await client.send(
      new ListMultipartUploadsCommand({ Bucket, Prefix: Key, ...from }),
      options,
    )
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Initiated === undefined || UploadId === undefined)
        throw new FreshetError('S3_REFUSED', 'the list of uploads has one without its id or time')
      if (Initiated.getTime() >= begunBeforeMs) continue
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), options)
      count++
    }
    const next = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
    if (page.IsTruncated && next.KeyMarker === from.KeyMarker && next.UploadIdMarker === from.UploadIdMarker)
      throw new FreshetError('S3_REFUSED', 'the list of uploads comes to no end')
    from = page.IsTruncated ? next : undefined
  }
  return count
}
