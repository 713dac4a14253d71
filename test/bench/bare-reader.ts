import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { Stack } from '../stack.ts'

/** Reads the pages of a shard as thin as Node can: one kept-alive connection, and the bytes are thrown away. */
export class BareReader implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #url: URL
  readonly #rows: number

  constructor({ settings, index }: Stack, { shard, identity }: ShardView) {
    this.#url = new URL(`/${index}/_search`, settings.elasticsearch.url)
    this.#url.search = new URLSearchParams({
      preference: `_shards:${shard}|_only_nodes:${identity.node}`,
      allow_partial_search_results: 'false',
      seq_no_primary_term: 'true',
      track_total_hits: 'false',
      request_cache: 'false',
    }).toString()
    this.#rows = settings.elasticsearch.pageRows
  }

  /**
   * @param documents under all sequence numbers from 0 on: so where the next page begins is known without looking
   * @returns how many bytes came
   */
  async readAll(documents: number): Promise<number> {
    let bytes = 0
    for (let from = 0; from < documents; from += this.#rows) bytes += await this.#read(from, documents - 1)
    return bytes
  }

  async #read(fromSeqNo: number, toSeqNo: number): Promise<number> {
    const body = JSON.stringify({
      size: this.#rows,
      sort: [{ _seq_no: 'asc' }],
      query: { range: { _seq_no: { gte: fromSeqNo, lte: toSeqNo } } },
    })
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const asked = request(this.#url, { agent: this.#agent, method: 'POST', headers }).end(body)
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    let bytes = 0
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    await once(answer, 'end')
    if (answer.statusCode !== 200) throw new Error(`a page was answered with ${answer.statusCode}`)
    return bytes
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}
