/** A local stand-in for Slack's incoming webhooks that refuses what Slack refuses, so that a test means something. */
import { type Answer, parseJson, type Receiver, startReceiver } from './receivers/receiver.ts'
import { TokenBucket } from './receivers/token-bucket.ts'
import { findFault } from './slack-rules.ts'

/** A message that was accepted, as it was posted. */
interface SlackMessage {
  readonly text: string
  readonly blocks: readonly unknown[]
  readonly receivedAtMs: number
}

export type SlackReceiver = Receiver<SlackMessage>

interface Options {
  /** 0 picks a free one. */
  readonly port: number
  readonly nowMs?: () => number
}

const PATH = '/services/T00000000/B00000000/local'

/** What Slack answers for reasons that do not lie in the message: see `behave`. */
export const SLACK_TROUBLES = {
  noService: { status: 404, body: 'no_service' },
  noTeam: { status: 404, body: 'no_team' },
  channelGone: { status: 404, body: 'channel_not_found' },
  channelArchived: { status: 410, body: 'channel_is_archived' },
  tokenInvalid: { status: 403, body: 'invalid_token' },
  prohibited: { status: 403, body: 'action_prohibited' },
  userGone: { status: 400, body: 'user_not_found' },
  rollupError: { status: 500, body: 'rollup_error' },
  unavailable: { status: 503, body: '' },
} as const satisfies Record<string, Answer>

export async function startSlackReceiver({ port, nowMs = Date.now }: Options): Promise<SlackReceiver> {
  const rate = new TokenBucket({ perSecond: 1, burst: 3 })
  return await startReceiver<SlackMessage>({
    port,
    path: PATH,
    nowMs,
    elsewhere: SLACK_TROUBLES.noService,
    take({ body, atMs }) {
      const waitSeconds = rate.take(atMs)
      if (waitSeconds > 0) return { answer: rateLimited(waitSeconds) }
      const payload = parseJson(body)
      const fault = payload === undefined ? 'invalid_payload' : findFault(payload)
      if (fault !== null) return { answer: { status: 400, body: fault } }
      const { text = '', blocks = [] } = payload as { text?: string; blocks?: unknown[] }
      return { answer: { status: 200, body: 'ok' }, message: { text, blocks, receivedAtMs: atMs } }
    },
  })
}

/** Slack tells it twice: in the header, and in a body that is JSON for once. */
export function rateLimited(waitSeconds: number): Answer {
  return {
    status: 429,
    body: JSON.stringify({ retry_after: waitSeconds, ok: false, error: 'rate_limited' }),
    headers: { 'retry-after': String(waitSeconds), 'content-type': 'application/json' },
  }
}
