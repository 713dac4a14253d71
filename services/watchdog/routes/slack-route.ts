import { FreshetError } from '@freshet/errors/errors.ts'
import type { AlertMessage } from '@freshet/records/alert-state.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { type BackOff, delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import {
  type FetchFunction,
  IncomingWebhook,
  IncomingWebhookHTTPError,
  type IncomingWebhookSendArguments,
} from '@slack/webhook'
import type { AlertRoute, Turn } from './alert-route.ts'
import { slackMessage } from './slack-message.ts'

const REQUEST_TIMEOUT_MS = 10_000
const BACK_OFF: BackOff = { firstMs: 1_000, maxMs: 60_000 }

export interface SlackOptions {
  readonly webhookUrl: string
  readonly pipeline: string
  readonly clock: Clock
  readonly log: Log
}

type Outcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'later'; readonly why: string; readonly afterMs: number }
  | { readonly kind: 'refused'; readonly status: number; readonly why: string }

/** Posts alerts to an incoming webhook, one at a time; waits as Slack asks, and gives up only when Slack says so. */
export class SlackRoute implements AlertRoute {
  readonly #options: SlackOptions
  readonly #webhook: IncomingWebhook
  #retryAfterMs = 0
  #signal: AbortSignal | null = null

  constructor(options: SlackOptions) {
    this.#options = options
    // The webhook tells neither the headers of an answer nor takes a signal, so both pass here.
    const fetchWithSignal: FetchFunction = async (url, init = {}) => {
      const signals = [init.signal, this.#signal].filter((signal) => signal != null)
      const response = await fetch(url, { ...init, signal: AbortSignal.any(signals) })
      this.#retryAfterMs = Number(response.headers.get('retry-after')) * 1000 || 0
      return response
    }
    this.#webhook = new IncomingWebhook(options.webhookUrl, {
      timeout: REQUEST_TIMEOUT_MS,
      fetch: fetchWithSignal,
    })
  }

  async deliver(message: AlertMessage, signal: AbortSignal, turn: Turn = () => true): Promise<boolean> {
    const { pipeline, clock, log } = this.#options
    const { text, blocks } = slackMessage(message, pipeline)
    let payload: IncomingWebhookSendArguments = { text, blocks }
    for (let attempt = 0; !signal.aborted && turn(); attempt++) {
      const outcome = await this.#post(payload, signal)
      if (outcome.kind === 'delivered') return true
      if (outcome.kind === 'refused') {
        if (outcome.status !== 400 || payload.blocks === undefined)
          throw new FreshetError('SLACK_REFUSED', `Slack answers ${outcome.status} ${outcome.why}`)
        log.warn('Slack refuses the form of an alert; it is sent as plain text', {
          [ATTRIBUTES.exceptionMessage]: outcome.why,
        })
        payload = { text }
        continue
      }
      if (attempt === 0 && !signal.aborted)
        log.warn('Slack takes no alerts now; they are sent again', {
          [ATTRIBUTES.errorType]: 'SLACK_UNREACHABLE',
          [ATTRIBUTES.exceptionMessage]: outcome.why,
        })
      await clock.sleep(Math.max(outcome.afterMs, delayMs(BACK_OFF, attempt, Math.random)), signal)
    }
    return false
  }

  async #post(payload: IncomingWebhookSendArguments, signal: AbortSignal): Promise<Outcome> {
    this.#signal = signal
    this.#retryAfterMs = 0
    try {
      const { text } = await this.#webhook.send(payload)
      return text === 'ok' ? { kind: 'delivered' } : { kind: 'refused', status: 200, why: text.slice(0, 200) }
    } catch (error) {
      if (!(error instanceof IncomingWebhookHTTPError))
        return { kind: 'later', why: String(error), afterMs: 0 }
      const { statusCode: status, body } = error
      if (status === 429 || status >= 500)
        return { kind: 'later', why: `${status} ${body.slice(0, 200)}`, afterMs: this.#retryAfterMs }
      return { kind: 'refused', status, why: body.slice(0, 200) }
    }
  }
}
