import { Buffer } from 'node:buffer'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { type FetchFunction, IncomingWebhook, IncomingWebhookHTTPError } from '@slack/webhook'
import { type SlackMessage, slackMessage } from '../formats/slack-blocks.ts'
import type { Notice } from '../notice.ts'
import { sendEitherForm } from './either-form.ts'
import { outcomeOf, readAnswer, unreachable } from './http-answer.ts'
import { Pace } from './pace.ts'
import { type Outcome, REQUEST_TIMEOUT_MS, type Way } from './way.ts'

export interface SlackWayOptions {
  readonly webhookUrl: string
  readonly clock: Clock
  readonly log: Log
  readonly requestTimeoutMs?: number
}

type SlackPayload = Pick<SlackMessage, 'text'> & Partial<SlackMessage>

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
      const moment = { address: options.webhookUrl, nowMs: options.clock.nowMs() }
      const { body, retryAfterMs } = await readAnswer(response, moment)
      this.#retryAfterMs = retryAfterMs
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
    const whole = slackMessage(notice)
    const line = 'Slack refuses the form of a message; it is sent as plain text'
    return await sendEitherForm<SlackPayload>(
      { whole, short: { text: whole.text }, log: this.#options.log, line },
      (payload) => this.#send(payload, signal),
      signal,
    )
  }

  async #send(payload: SlackPayload, signal: AbortSignal): Promise<Outcome> {
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
