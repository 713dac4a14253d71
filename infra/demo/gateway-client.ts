import { Agent, request } from 'node:http'
import type { Answer } from '@freshet/records/answer.ts'

const MAX_SOCKETS = 64
const GIVE_UP_MS = 2_000

/**
 * Asks a gateway as a backend does: kept connections, and patience that ends. Not shared/client, which gives no status of
 * an answer; the demo counts by it.
 */
export class GatewayClient implements Disposable {
  readonly url: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS })
  readonly #headers: Readonly<Record<string, string>>

  /** @param apiKey none is needed on loopback. */
  constructor({ url, apiKey }: { url: string; apiKey?: string | undefined }) {
    this.url = url
    this.#headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }
  }

  /** GET /v1/scores/{key}; an answer only with 200. */
  lookup(key: string): Promise<{ status: number; answer: Answer | undefined }> {
    const url = `${this.url}/v1/scores/${key.split('/').map(encodeURIComponent).join('/')}`
    return new Promise((resolve, reject) => {
      const call = request(
        url,
        { agent: this.#agent, headers: this.#headers, timeout: GIVE_UP_MS },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject)
          response.on('end', () => {
            const status = response.statusCode ?? 0
            const text = Buffer.concat(chunks).toString()
            resolve({ status, answer: status === 200 ? (JSON.parse(text) as Answer) : undefined })
          })
        },
      )
      call
        .on('timeout', () => call.destroy(new Error(`no answer within ${GIVE_UP_MS} ms`)))
        .on('error', reject)
      call.end()
    })
  }

  /** True when it has a model and a store to answer from. */
  async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(GIVE_UP_MS) })).ok
    } catch {
      return false // not listening yet
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}
