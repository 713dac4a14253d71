import type { ShardsView } from '@freshet/adapters/elasticsearch/shards.ts'
import { listed } from '@freshet/stage/listed.ts'
import type { Log } from '@freshet/stage/log.ts'

interface Shard {
  readonly index: string
  readonly shard: number
}

/**
 * Tells of our shards whose primaries cannot be read, and of their return. A line for each index: a node that restarts
 * takes the shards of many with it, and the other pollers tell of theirs.
 */
export class UnreadableNews {
  readonly #log: Log
  #unreadable: ReadonlySet<string> = new Set()
  #told: ReadonlyMap<string, Shard> = new Map()

  constructor(log: Log) {
    this.#log = log
  }

  tell(view: ShardsView, ours: readonly Shard[]): void {
    const unreadable = new Set(view.unreadable)
    // A new index is in one of the two answers first: only what stays unreadable is worth a word.
    const stays = ours.filter((shard) => unreadable.has(nameOf(shard)) && this.#unreadable.has(nameOf(shard)))
    const now = new Map(stays.map((shard) => [nameOf(shard), shard]))
    const begun = stays.filter((shard) => !this.#told.has(nameOf(shard)))
    // One that is still unreadable is another poller's by now.
    const ended = [...this.#told.values()].filter((shard) => !unreadable.has(nameOf(shard)))
    const readable = new Set(view.readable.map(nameOf))
    const back = ended.filter((shard) => readable.has(nameOf(shard)))
    const gone = ended.filter((shard) => !readable.has(nameOf(shard)))
    for (const [index, shards] of byIndex(begun))
      this.#log.warn(`${index}: no primary that can be read, capture waits: ${shards}`)
    for (const [index, shards] of byIndex(back)) this.#log.info(`${index}: can be read again: ${shards}`)
    for (const [index, shards] of byIndex(gone)) this.#log.info(`${index}: is closed or no more: ${shards}`)
    this.#unreadable = unreadable
    this.#told = now
  }
}

/** Numbers are short. */
const MAX_NUMBERS = 10

function byIndex(shards: readonly Shard[]): [index: string, shards: string][] {
  return [...Map.groupBy(shards, ({ index }) => index)].map(([index, all]) => {
    const numbers = all.map(({ shard }) => shard).sort((a, b) => a - b)
    return [index, `shard${numbers.length === 1 ? '' : 's'} ${listed(numbers, MAX_NUMBERS)}`]
  })
}

/** As the view names those that cannot be read. */
function nameOf({ index, shard }: Shard): string {
  return `${index}/${shard}`
}
