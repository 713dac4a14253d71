import { Buffer } from 'node:buffer'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { type FetchFunction, IncomingWebhook, IncomingWebhookHTTPError } from '@slack/webhook'
import { type SlackMessage, slackMessage } from '../formats/slack-blocks.ts'
import type { Notice } from '../notice.ts'
import { Pace } from './pace.ts'
import {
  evenShort,
  type Outcome,
  outcomeOf,
  readStart,
  retryAfterMs,
  unreachable,
  type Way,
  withoutAddress,
} from './way.ts'

const REQUEST_TIMEOUT_MS = 10_000

export interface SlackWayOptions {
  readonly webhookUrl: string
  readonly clock: Clock
  readonly log: Log
  readonly requestTimeoutMs?: number
}

/** An incoming webhook of Slack. A form that it refuses is posted once more as plain text. */
export class SlackWay implements Way {
  readonly name = 'slack'
  readonly #options: SlackWayOptions
  readonly #webhook: IncomingWebhook
  readonly #pace: Pace
  #retryAfterMs = 0
  #signal: AbortSignal | null = null

  constructor(options: SlackWayOptions) {
    this.#options = options
    this.#pace = new Pace(options.clock)
    // The webhook tells neither the headers of an answer nor takes a signal, so both pass here.
    const fetchWithSignal: FetchFunction = async (url, init = {}) => {
      const signals = [init.signal, this.#signal].filter((signal) => signal != null)
      const response = await fetch(url, { ...init, signal: AbortSignal.any(signals) })
      this.#retryAfterMs = retryAfterMs(response.headers.get('retry-after'), options.clock.nowMs())
      const body = withoutAddress(await readStart(response.body), options.webhookUrl)
      return {
        ...{ ok: response.ok, status: response.status, statusText: response.statusText },
        ...{ url: '', headers: response.headers },
        arrayBuffer: async () => new Uint8Array(Buffer.from(body)).buffer,
        json: async () => JSON.parse(body),
        text: async () => body,
      }
    }
    this.#webhook = new IncomingWebhook(options.webhookUrl, {
      timeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      fetch: fetchWithSignal,
    })
  }

  async post(notice: Notice, signal: AbortSignal): Promise<Outcome> {
    const message = slackMessage(notice)
    const outcome = await this.#send(message, signal)
    if (outcome.kind !== 'refused' || signal.aborted) return outcome
    this.#options.log.warn('Slack refuses the form of a message; it is sent as plain text', {
      [ATTRIBUTES.exceptionMessage]: outcome.why,
    })
    return evenShort(await this.#send({ text: message.text }, signal))
  }

  async #send(
    payload: Pick<SlackMessage, 'text'> & Partial<SlackMessage>,
    signal: AbortSignal,
  ): Promise<Outcome> {
    await this.#pace.turn(signal)
    if (signal.aborted) return unreachable(signal.reason)
    this.#signal = signal
    this.#retryAfterMs = 0
    try {
      const { text } = await this.#webhook.send(payload)
      // Something between us and Slack has answered, and may be gone soon.
      return text === 'ok'
        ? { kind: 'taken' }
        : { kind: 'later', why: `200 ${text.slice(0, 200)}`, afterMs: 0 }
    } catch (error) {
      if (!(error instanceof IncomingWebhookHTTPError)) return unreachable(error)
      return outcomeOf({ status: error.statusCode, body: error.body, retryAfterMs: this.#retryAfterMs })
    }
  }
}
