import type { WebhookFormat } from '@freshet/config/alert-routes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { flockMessage, shortFlockMessage } from '../formats/flock-message.ts'
import { jsonBody } from '../formats/json-body.ts'
import { shortTeamsMessage, teamsMessage } from '../formats/teams-card.ts'
import type { Notice } from '../notice.ts'
import { sendEitherForm } from './either-form.ts'
import { outcomeOf, readAnswer, unreachable } from './http-answer.ts'
import { Pace } from './pace.ts'
import { type Outcome, REQUEST_TIMEOUT_MS, type Way } from './way.ts'

interface Format {
  readonly whole: (notice: Notice) => object
  /** For what is refused as a whole. */
  readonly short?: (notice: Notice) => object
}

const FORMATS: Readonly<Record<WebhookFormat, Format>> = {
  json: { whole: jsonBody },
  teams: { whole: teamsMessage, short: shortTeamsMessage },
  flock: { whole: flockMessage, short: shortFlockMessage },
}

export interface WebhookWayOptions {
  readonly url: string
  readonly format: WebhookFormat
  readonly headers: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly log: Log
  readonly requestTimeoutMs?: number
}

/** An address that takes posts of JSON, in the format of whoever reads them. */
export class WebhookWay implements Way {
  readonly name = 'webhook'
  readonly #options: WebhookWayOptions
  readonly #pace: Pace

  constructor(options: WebhookWayOptions) {
    this.#options = options
    this.#pace = new Pace(options.clock)
  }

  async post(notice: Notice, signal: AbortSignal): Promise<Outcome> {
    const { format, log } = this.#options
    const { whole, short } = FORMATS[format]
    const line = 'alerts.webhook.url refuses the form of a message; it is sent in a shorter one'
    return await sendEitherForm(
      { whole: whole(notice), short: short?.(notice), log, line },
      (body) => this.#send(notice.id, body, signal),
      signal,
    )
  }

  async #send(id: string, body: object, signal: AbortSignal): Promise<Outcome> {
    const { url, headers, clock, requestTimeoutMs = REQUEST_TIMEOUT_MS } = this.#options
    await this.#pace.turn(signal)
    if (signal.aborted) return unreachable(signal.reason)
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'user-agent': 'freshet',
          'idempotency-key': id,
          ...headers,
          'content-type': 'application/json',
        },
        body: JSON.stringify(body),
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
      })
      const answer = await readAnswer(response, { address: url, nowMs: clock.nowMs() })
      const status = statusWithin(answer.body) ?? answer.status
      return status >= 200 && status < 300 ? { kind: 'taken' } : outcomeOf({ ...answer, status })
    } catch (error) {
      return unreachable(error)
    }
  }
}

/** Teams' connectors answer 200 and say in the body that it has failed. */
function statusWithin(body: string): number | undefined {
  const status = /Microsoft Teams endpoint returned HTTP error (\d{3})/.exec(body)?.[1]
  return status === undefined ? undefined : Number(status)
}
