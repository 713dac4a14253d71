import type { Client } from '@elastic/elasticsearch'
import { systemClock } from '@freshet/stage/clock.ts'
import type { FreshnessSamples } from './freshness.ts'
import type { Operation } from './operations.ts'

const BULK_OPERATIONS = 2_000
const SAMPLES_A_BULK = 4
/** At a stated rate there are so many bulks a second. */
const BULKS_PER_SECOND = 10

/** When the next bulk may go: in a closed loop when the oldest sample has waited less, or at a stated rate. */
export type Pace = { readonly maxWaitingSeconds: number } | { readonly perSecond: number }

/** Writes operations with `_bulk`, one bulk after the other, and has some of each watched until Redis knows them. */
export class BulkWriter {
  readonly written = { creates: 0, updates: 0, deletes: 0 }
  readonly #client: Client
  readonly #index: string
  readonly #samples: FreshnessSamples

  constructor({ client, index, samples }: { client: Client; index: string; samples: FreshnessSamples }) {
    this.#client = client
    this.#index = index
    this.#samples = samples
  }

  /** @param enough ends it before its time, after a whole bulk */
  async writeAll(
    operations: Iterable<Operation>,
    pace: Pace,
    { enough, signal }: { enough?: AbortSignal; signal: AbortSignal },
  ): Promise<void> {
    const size = 'perSecond' in pace ? Math.ceil(pace.perSecond / BULKS_PER_SECOND) : BULK_OPERATIONS
    let dueMs = performance.now()
    for (const bulk of bulksOf(operations, size)) {
      signal.throwIfAborted()
      if (enough?.aborted) return
      if ('perSecond' in pace) {
        await systemClock.sleep(Math.max(0, dueMs - performance.now()), signal)
        dueMs += (1_000 * bulk.length) / pace.perSecond
      } else await this.#samples.untilBelow(pace.maxWaitingSeconds, signal)
      await this.#send(bulk)
    }
  }

  async #send(bulk: readonly Operation[]): Promise<void> {
    const answer = await this.#client.transport.request<BulkAnswer>({
      method: 'POST',
      path: `/${this.#index}/_bulk`,
      querystring: { filter_path: 'errors,items.*._seq_no,items.*._primary_term,items.*.error' },
      bulkBody: bulk.map(linesOf).join(''),
    })
    if (answer.errors)
      throw new Error(
        `Elasticsearch refused: ${JSON.stringify(answer.items.find((item) => Object.values(item)[0]!.error))}`,
      )
    for (const { kind } of bulk) this.written[`${kind}s`]++
    const step = Math.max(1, Math.floor(bulk.length / SAMPLES_A_BULK))
    for (let at = 0; at < bulk.length; at += step) {
      const { _seq_no: seqNo, _primary_term: primaryTerm } = Object.values(answer.items[at]!)[0]!
      if (bulk[at]!.lasts) this.#samples.watch({ key: `${this.#index}/${bulk[at]!.id}`, primaryTerm, seqNo })
    }
  }
}

interface BulkAnswer {
  readonly errors: boolean
  readonly items: readonly Readonly<
    Record<string, { readonly _seq_no: number; readonly _primary_term: number; readonly error?: unknown }>
  >[]
}

function linesOf({ kind, id, source }: Operation): string {
  return kind === 'delete' ? `{"delete":{"_id":"${id}"}}\n` : `{"index":{"_id":"${id}"}}\n${source}\n`
}

function* bulksOf(operations: Iterable<Operation>, size: number): Generator<readonly Operation[]> {
  let bulk: Operation[] = []
  for (const operation of operations) {
    bulk.push(operation)
    if (bulk.length < size) continue
    yield bulk
    bulk = []
  }
  if (bulk.length > 0) yield bulk
}
