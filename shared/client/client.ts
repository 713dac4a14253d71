/** The gateway, as a TypeScript backend asks for it: see README.md. */
import type { ModelPage } from '@freshet/gateway/live/model-page-schema.ts'
import type { RankReply, RankRequest } from '@freshet/gateway/routes/rank.ts'
import { type CallOptions, GatewayCalls } from './gateway-call.ts'
import { NoAnswerError, type Outage, type Result } from './results.ts'
import { toReplyOr, toResult, toResults } from './to-results.ts'

export type { Answer, AnswerSource } from '@freshet/records/answer.ts'
export type { CallOptions } from './gateway-call.ts'
export {
  CLIENT_REASONS,
  type ClientReason,
  type NoAnswer,
  NoAnswerError,
  type Outage,
  type Result,
} from './results.ts'

export interface ClientOptions {
  /** Where the gateway is: `http://127.0.0.1:8080`. */
  readonly url: string
  /** Needed anywhere but on the gateway's own machine. */
  readonly apiKey?: string
  /** PEM of the authority that vouches for the gateway's certificate, where it is none that Node knows. */
  readonly ca?: string
  /** Milliseconds until the caller goes on, with an answer or without. 100 unless told otherwise. */
  readonly deadlineMs?: number
  /** The score where there is no answer; null unless told otherwise. */
  readonly default?: number | null
  /** Calls at once; more are told `client_overloaded` and do not wait. 256 unless told otherwise. */
  readonly maxInFlight?: number
  /** Throw a NoAnswerError where nothing came from the gateway, instead of an answer of source `none`. */
  readonly throwsOnOutage?: boolean
  /** W3C trace context of the work in hand, for the gateway's spans to hang on. */
  readonly traceparent?: () => string | undefined
}

/** Of many: one document, under its key where it has one. */
export interface DocumentToScore {
  readonly document: object
  readonly key?: string
}

/** A ranking, or why there is none: then `source` is `none`. */
export type Ranked = (RankReply & { readonly source?: undefined }) | Outage

export type ServingModel = (ModelPage & { readonly source?: undefined }) | Outage

/** The gateway takes no more of them in one request; more are sent side by side. */
const MAX_KEYS = 1_000
const MAX_DOCUMENTS = 256

/**
 * Asks for scores, and never makes the caller wait longer than asked: a gateway that is gone, frozen or slow is an answer
 * of source `none` with the reason and the caller's default. Nothing is thrown, but for what the caller asked for.
 */
export class FreshetClient implements Disposable {
  readonly #calls: GatewayCalls
  readonly #default: number | null
  readonly #throwsOnOutage: boolean

  /** @throws TypeError when the URL is none */
  constructor(options: ClientOptions) {
    this.#calls = new GatewayCalls({
      url: options.url,
      apiKey: options.apiKey,
      ca: options.ca,
      deadlineMs: options.deadlineMs ?? 100,
      maxInFlight: options.maxInFlight ?? 256,
      traceparent: options.traceparent ?? (() => undefined),
    })
    this.#default = options.default ?? null
    this.#throwsOnOutage = options.throwsOnOutage ?? false
  }

  /** The stored score of a document. */
  async lookup(key: string, options: CallOptions = {}): Promise<Result> {
    const path = `v1/scores?key=${encodeURIComponent(key.toWellFormed())}`
    return this.#told(toResult(await this.#calls.call('GET', path, options), key, this.#default))
  }

  /** The stored scores of documents, in the order of their keys. */
  lookupMany(keys: readonly string[], options: CallOptions = {}): Promise<Result[]> {
    return this.#inParts(keys, MAX_KEYS, async (part) => {
      const called = await this.#calls.call('POST', 'v1/scores', { ...options, body: { keys: part } })
      return toResults(called, part, this.#default)
    })
  }

  /** What the model makes of documents now, in their order; where it cannot in time, the stored scores of their keys. */
  predict(documents: readonly DocumentToScore[], options?: CallOptions): Promise<Result[]>
  /** The same for one document. */
  predict(document: object, options?: CallOptions & { readonly key?: string }): Promise<Result>
  predict(
    asked: object | readonly DocumentToScore[],
    { key, ...options }: CallOptions & { readonly key?: string } = {},
  ): Promise<Result> | Promise<Result[]> {
    return Array.isArray(asked)
      ? this.#predictMany(asked as readonly DocumentToScore[], options)
      : this.#predictOne(asked, key, options)
  }

  async #predictOne(document: object, key: string | undefined, options: CallOptions): Promise<Result> {
    const body = { document, ...(key !== undefined && { key }) }
    const called = await this.#calls.call('POST', 'v1/predict', { ...options, body })
    return this.#told(toResult(called, key ?? null, this.#default))
  }

  #predictMany(asked: readonly DocumentToScore[], options: CallOptions): Promise<Result[]> {
    return this.#inParts(asked, MAX_DOCUMENTS, async (part) => {
      const body = {
        documents: part.map(({ document, key }) => ({ document, ...(key !== undefined && { key }) })),
      }
      const called = await this.#calls.call('POST', 'v1/predict', { ...options, body })
      const keys = part.map(({ key }) => key ?? null)
      return toResults(called, keys, this.#default)
    })
  }

  /** The best documents of a query. Without any ranking there is none to show: look at `source`. */
  async rank(asked: RankRequest, options: CallOptions = {}): Promise<Ranked> {
    const called = await this.#calls.call('POST', 'v1/rank', { ...options, body: asked })
    return this.#told(toReplyOr<RankReply>(called, 'pool'))
  }

  /** Which model serves. */
  async model(options: CallOptions = {}): Promise<ServingModel> {
    const called = await this.#calls.call('GET', 'v1/model', options)
    return this.#told(toReplyOr<ModelPage>(called, 'generation'))
  }

  /** Closes its connections; calls that are in flight end without an answer. */
  [Symbol.dispose](): void {
    this.#calls[Symbol.dispose]()
  }

  /** All parts are asked for at once, so they share one deadline. */
  async #inParts<T>(
    all: readonly T[],
    size: number,
    ask: (part: readonly T[]) => Promise<readonly Result[]>,
  ): Promise<Result[]> {
    const parts: (readonly T[])[] = []
    for (let from = 0; from < all.length; from += size) parts.push(all.slice(from, from + size))
    const results = (await Promise.all(parts.map(ask))).flat()
    for (const result of results) this.#told(result)
    return results
  }

  /** @throws NoAnswerError, where the caller asked for errors */
  #told<T extends Result | Ranked | ServingModel>(result: T): T {
    if (this.#throwsOnOutage && result.source === 'none' && result.degraded)
      throw new NoAnswerError(result as Outage)
    return result
  }
}
