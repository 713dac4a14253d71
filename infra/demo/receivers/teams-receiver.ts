import { parseJson, type Receiver, startReceiver } from './receiver.ts'
import { findTeamsFault, type TeamsMessage } from './teams-rules.ts'
import { TokenBucket } from './token-bucket.ts'

export interface TeamsReceiver extends Receiver<TeamsMessage> {
  /** What was accepted and then not shown, each with its reason. Whoever posts does not hear of it, as with Teams. */
  readonly failedRuns: readonly string[]
}

const PATH = '/workflows/00000000/triggers/manual/paths/invoke?api-version=2016-06-01&sig=local'

/** A local stand-in for a Teams workflow: it accepts all that is JSON with 202, and fails later. */
export async function startTeamsReceiver({
  port,
  nowMs = Date.now,
}: {
  readonly port: number
  readonly nowMs?: () => number
}): Promise<TeamsReceiver> {
  const rate = new TokenBucket({ perSecond: 4, burst: 4 })
  const failedRuns: string[] = []
  const receiver = await startReceiver<TeamsMessage>({
    port,
    path: PATH,
    nowMs,
    elsewhere: { status: 401, body: '{"error":{"code":"DirectApiAuthorizationRequired"}}' },
    take({ body, atMs }) {
      const waitSeconds = rate.take(atMs)
      if (waitSeconds > 0)
        return { answer: { status: 429, body: '', headers: { 'retry-after': String(waitSeconds) } } }
      const payload = parseJson(body)
      if (payload === undefined)
        return { answer: { status: 400, body: '{"error":{"code":"InvalidRequestContent"}}' } }
      const fault = findTeamsFault(body, payload)
      if (fault !== null) failedRuns.push(fault)
      return {
        answer: { status: 202, body: '' },
        ...(fault === null && { message: payload as TeamsMessage }),
      }
    },
  })
  return Object.assign(receiver, { failedRuns })
}
