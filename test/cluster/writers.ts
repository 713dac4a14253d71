import type { Client } from '@elastic/elasticsearch'
import type { Flight } from '@freshet/demo/flights.ts'
import { seeded } from '@freshet/stage/seeded.ts'

const DELETE_SHARE = 0.1
const BULK_OPERATIONS = 200
/** A write that waits for a primary that was killed gives up soon: nobody needs its answer. */
const WRITE_TIMEOUT = '2s'

export interface Load {
  readonly client: Client
  readonly indices: readonly string[]
  /** What the documents are made of. */
  readonly flights: readonly Flight[]
  readonly seed: number
  /** Each writes one bulk request after the other, as fast as they are answered. */
  readonly writers: number
  /** Distinct ids an index. */
  readonly keys: number
}

/** Creates, updates and deletes at full speed. What became of a write that failed, Elasticsearch alone knows. */
export class Writers implements AsyncDisposable {
  readonly #stop = new AbortController()
  readonly #running: readonly Promise<void>[]
  #acknowledged = 0

  constructor(load: Load) {
    this.#running = Array.from({ length: load.writers }, (_, writer) => this.#write(load, writer))
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Resolves when nothing is being written any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }

  async #write(load: Load, writer: number): Promise<void> {
    const random = seeded(load.seed * 1_000 + writer)
    while (!this.#stop.signal.aborted)
      try {
        const { items } = await load.client.bulk({
          timeout: WRITE_TIMEOUT,
          operations: Array.from({ length: BULK_OPERATIONS }, () => randomWrite(load, random)).flat(),
        })
        this.#acknowledged += items.filter((item) => Object.values(item)[0]!.status < 300).length
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50)) // a node died: the next try goes to another
      }
  }
}

function randomWrite({ indices, flights, keys }: Load, random: () => number): object[] {
  const pick = (count: number) => Math.floor(random() * count)
  const action = { _index: indices[pick(indices.length)]!, _id: `k${pick(keys)}` }
  if (random() < DELETE_SHARE) return [{ delete: action }]
  return [{ index: action }, { ...flights[pick(flights.length)]!.document, dep_delay: pick(600) - 60 }]
}
