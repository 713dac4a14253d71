import { Agent, request } from 'node:http'
import type { Answer } from '@freshet/records/answer.ts'
import type { Tally } from './tally.ts'

const LOOKUP_EVERY_MS = 10
const GIVE_UP_MS = 2_000
const MAX_KNOWN_KEYS = 10_000

export interface Callers extends AsyncDisposable {
  /** Tells of a document that may be asked for from now on. */
  know(key: string): void
  /** An answer to show, with the key that was asked for. */
  readonly lastAnswer: Answer | undefined
  stop(): Promise<void>
}

/** A backend that looks up documents at an even rate, whatever the answers take, and counts what it gets. */
export function startCallers({ gatewayUrl, tally }: { gatewayUrl: string; tally: Tally }): Callers {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const keys: string[] = []
  const pending = new Set<Promise<void>>()
  let known = 0
  let lastAnswer: Answer | undefined
  const timer = setInterval(() => {
    if (keys.length === 0) return
    const call = ask(keys[Math.floor(Math.random() * keys.length)]!).finally(() => pending.delete(call))
    pending.add(call)
  }, LOOKUP_EVERY_MS)

  async function ask(key: string): Promise<void> {
    const begunMs = performance.now()
    try {
      const { status, answer } = await lookup(agent, gatewayUrl, key)
      tally.answered(answer?.source, performance.now() - begunMs)
      if (status === 200 && answer !== undefined) lastAnswer = answer
    } catch {
      tally.lookupFailures++ // counted and shown: the gateway promised an answer
    }
  }

  const stop = async () => {
    clearInterval(timer)
    await Promise.all(pending)
    agent.destroy()
  }
  return {
    know(key) {
      keys[known++ % MAX_KNOWN_KEYS] = key
    },
    get lastAnswer() {
      return lastAnswer
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** GET /v1/scores/{key}; 404 has no answer. */
export function lookup(
  agent: Agent,
  gatewayUrl: string,
  key: string,
): Promise<{ status: number; answer: Answer | undefined }> {
  return new Promise((resolve, reject) => {
    const url = `${gatewayUrl}/v1/scores/${key.split('/').map(encodeURIComponent).join('/')}`
    const call = request(url, { agent, timeout: GIVE_UP_MS }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject)
      response.on('end', () => {
        const status = response.statusCode ?? 0
        resolve({
          status,
          answer: status === 200 ? (JSON.parse(Buffer.concat(chunks).toString()) as Answer) : undefined,
        })
      })
    })
    call.on('timeout', () => call.destroy(new Error(`no answer within ${GIVE_UP_MS} ms`))).on('error', reject)
    call.end()
  })
}
