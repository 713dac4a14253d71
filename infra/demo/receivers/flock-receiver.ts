import { type FlockMessage, findFlockFault } from './flock-rules.ts'
import { parseJson, type Receiver, startReceiver } from './receiver.ts'

const PATH = '/hooks/sendMessage/00000000-0000-0000-0000-000000000000'

/** A local stand-in for Flock's incoming webhooks. */
export async function startFlockReceiver({
  port,
}: {
  readonly port: number
}): Promise<Receiver<FlockMessage>> {
  return await startReceiver<FlockMessage>({
    port,
    path: PATH,
    elsewhere: { status: 403, body: JSON.stringify({ error: 'InvalidToken' }) },
    take({ body }) {
      const payload = parseJson(body)
      if (payload === undefined)
        return { answer: { status: 400, body: JSON.stringify({ error: 'InvalidRequestData' }) } }
      const parameter = findFlockFault(payload)
      if (parameter !== null)
        return { answer: { status: 400, body: JSON.stringify({ error: 'InvalidParameter', parameter }) } }
      return {
        answer: { status: 200, body: JSON.stringify({ uid: 'local' }) },
        message: payload as FlockMessage,
      }
    },
  })
}
