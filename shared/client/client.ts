/** The gateway, as a TypeScript backend asks for it: see README.md. */
import type { ModelPage } from '@freshet/gateway/live/model-page-schema.ts'
import type { RankReply, RankRequest } from '@freshet/gateway/routes/rank-schema.ts'
import { type Burst, type Called, type CallOptions, failed, GatewayCalls } from './gateway-call.ts'
import { type ClientReason, NoAnswerError, type Outage, type Result } from './results.ts'
import { isModelPage, isRanking, toReplyOr, toResult, toResults } from './to-results.ts'
import { isKey, type Written, writeDocument, writeKey, writeObject } from './written.ts'

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

/** The gateway takes no more of them in one request; more are sent in parts, */
const MAX_KEYS = 1_000
const MAX_DOCUMENTS = 256
/** so many of them side by side. */
const PARTS_AT_ONCE = 4
/** With less time left nothing is sent: timers, which end the parts before, may be early by as much. */
const LEAST_MS = 1

/** What can be asked for in parts. */
interface Kind<T> {
  readonly path: string
  /** Their name in the body. */
  readonly list: string
  readonly size: number
  readonly write: (one: T) => Written
  readonly keyOf: (one: T) => string | null
}

const KEYS: Kind<string> = {
  path: 'v1/scores',
  list: 'keys',
  size: MAX_KEYS,
  write: writeKey,
  keyOf: (key) => key,
}
const DOCUMENTS: Kind<DocumentToScore> = {
  path: 'v1/predict',
  list: 'documents',
  size: MAX_DOCUMENTS,
  write: writeDocument,
  keyOf: ({ key }) => key ?? null,
}

/**
 * Asks for scores, and never makes the caller wait longer than asked: a gateway that is gone, frozen or slow is an answer
 * of source `none` with the reason and the caller's default. Nothing is thrown, but for what the caller asked for.
 */
export class FreshetClient implements Disposable {
  readonly #calls: GatewayCalls
  readonly #deadlineMs: number
  readonly #default: number | null
  readonly #throwsOnOutage: boolean

  /** @throws TypeError when the URL is none of http or https, or the key could not stand in a header */
  constructor(options: ClientOptions) {
    this.#deadlineMs = options.deadlineMs ?? 100
    this.#calls = new GatewayCalls({
      url: options.url,
      apiKey: options.apiKey,
      ca: options.ca,
      deadlineMs: this.#deadlineMs,
      maxInFlight: options.maxInFlight ?? 256,
      traceparent: options.traceparent ?? (() => undefined),
    })
    this.#default = options.default ?? null
    this.#throwsOnOutage = options.throwsOnOutage ?? false
  }

  /** The stored score of a document. */
  async lookup(key: string, options: CallOptions = {}): Promise<Result> {
    const called = isKey(key)
      ? await this.#calls.call('GET', `v1/scores?key=${encodeURIComponent(key)}`, options)
      : failed('key_invalid')
    return this.#told(toResult(called, key, this.#default))
  }

  /** The stored scores of documents, in the order of their keys. */
  lookupMany(keys: readonly string[], options: CallOptions = {}): Promise<Result[]> {
    return this.#inParts(keys, KEYS, options)
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
      ? this.#inParts(asked as readonly DocumentToScore[], DOCUMENTS, options)
      : this.#predictOne(asked, key, options)
  }

  async #predictOne(document: object, key: string | undefined, options: CallOptions): Promise<Result> {
    const called = await this.#post('v1/predict', writeDocument({ document, key }), options)
    return this.#told(toResult(called, key ?? null, this.#default))
  }

  /** The best documents of a query. Without any ranking there is none to show: look at `source`. */
  async rank(asked: RankRequest, options: CallOptions = {}): Promise<Ranked> {
    const called = await this.#post('v1/rank', writeObject(asked), options)
    return this.#told(toReplyOr(called, isRanking))
  }

  /** Which model serves. */
  async model(options: CallOptions = {}): Promise<ServingModel> {
    const called = await this.#calls.call('GET', 'v1/model', options)
    return this.#told(toReplyOr(called, isModelPage))
  }

  /** Closes its connections; calls that are in flight end without an answer. */
  [Symbol.dispose](): void {
    this.#calls[Symbol.dispose]()
  }

  async #post(path: string, written: Written, options: CallOptions): Promise<Called> {
    return 'fault' in written
      ? failed(written.fault)
      : this.#calls.call('POST', path, { ...options, text: written.text })
  }

  /** All parts share one deadline; what is not sent by then is late without being written down. */
  async #inParts<T>(all: readonly T[], kind: Kind<T>, options: CallOptions): Promise<Result[]> {
    const { deadlineMs = this.#deadlineMs, signal } = options
    const endsAtMs = performance.now() + deadlineMs
    const burst: Burst = { hasMissed: false }
    const results: Result[][] = []
    let next = 0
    const askNext = async () => {
      while (next * kind.size < all.length) {
        const at = next++
        const part = all.slice(at * kind.size, (at + 1) * kind.size)
        const leftMs = endsAtMs - performance.now()
        results[at] = await this.#part(part, kind, {
          deadlineMs: leftMs,
          burst,
          ...(signal !== undefined && { signal }),
        })
      }
    }
    await Promise.all(Array.from({ length: PARTS_AT_ONCE }, askNext))
    const flat = results.flat()
    for (const result of flat) this.#told(result)
    return flat
  }

  /** What cannot be sent does not cost the others their answers. */
  async #part<T>(
    part: readonly T[],
    { path, list, write, keyOf }: Kind<T>,
    options: CallOptions & { readonly deadlineMs: number; readonly burst: Burst },
  ): Promise<Result[]> {
    options.signal?.throwIfAborted()
    const none = (reason: ClientReason, one: T) => toResult(failed(reason), keyOf(one), this.#default)
    if (!(options.deadlineMs >= LEAST_MS)) return part.map((one) => none('gateway_late', one))
    const written = part.map(write)
    const texts = written.flatMap((one) => ('text' in one ? [one.text] : []))
    const keys = part.filter((_, at) => 'text' in written[at]!).map(keyOf)
    const called: Called =
      texts.length === 0
        ? failed('request_unsendable')
        : await this.#calls.call('POST', path, { ...options, text: `{"${list}":[${texts.join(',')}]}` })
    const answers = toResults(called, keys, this.#default).values()
    return part.map((one, at) => {
      const { fault } = written[at] as { fault?: ClientReason }
      return fault === undefined ? answers.next().value! : none(fault, one)
    })
  }

  /** @throws NoAnswerError, where the caller asked for errors */
  #told<T extends Result | Ranked | ServingModel>(result: T): T {
    if (this.#throwsOnOutage && result.source === 'none' && result.degraded)
      throw new NoAnswerError(result as Outage)
    return result
  }
}
