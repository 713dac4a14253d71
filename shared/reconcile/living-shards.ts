import type { Client } from '@elastic/elasticsearch'
import { refresh } from '@freshet/adapters/elasticsearch/read-page.ts'
import { readShards, type ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { Scope } from '@freshet/capture/scope.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { isSameHistory } from '@freshet/records/cursor.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { CollectedKeys } from './collected-keys.ts'
import { readLiveKeys } from './live-keys.ts'
import type { LiveTable } from './live-table.ts'
import { Pace } from './pace.ts'

/** A shard and the keys that lived in it up to the checkpoint of its view, and later. */
export interface LivingShard {
  readonly view: ShardView
  readonly table: LiveTable
  /** Documents without a usable key, by index and id. */
  readonly keyless: LiveTable
  /** When its keys began to be read: what was not found did not live then. */
  readonly readAtMs: number
}

export interface LivingOptions {
  readonly client: Client
  readonly scope: Scope
  readonly maxMemoryBytes: number
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onProgress: (line: string) => void
}

/** What became of the shards at the head of a list. */
export interface LivingBatch {
  readonly living: readonly LivingShard[]
  /** Those that could not be read after all. */
  readonly unreadable: readonly ShardView[]
  /** Those that wait for the next batch. */
  readonly rest: readonly ShardView[]
}

/**
 * Reads the living keys of as many shards as have room in memory; of one whatever it takes.
 * @param views read before; each shard is refreshed afterwards, so that everything up to its checkpoint is seen
 * @throws ELASTICSEARCH_UNREACHABLE, ELASTICSEARCH_UNAUTHORIZED
 */
export async function readLiving(views: readonly ShardView[], options: LivingOptions): Promise<LivingBatch> {
  const { maxMemoryBytes, onProgress } = options
  const living: LivingShard[] = []
  const unreadable: ShardView[] = []
  let bytes = 0
  for (const [at, view] of views.entries()) {
    onProgress(`reading ${view.index}/${view.shard}, ${at + 1} of ${views.length}`)
    const maxTableBytes = living.length === 0 ? Number.POSITIVE_INFINITY : maxMemoryBytes - bytes
    const read = await readPatiently(view, maxTableBytes, options)
    if (read === 'unreadable') unreadable.push(view)
    else if (read === 'too large') return { living, unreadable, rest: views.slice(at) }
    else {
      bytes += read.bytes
      living.push(read)
    }
  }
  return { living, unreadable, rest: [] }
}

const TRIES = 4
const PAUSE_MS = 1_000

/** A primary that moves is looked for again; its view, and so its checkpoint, is then a later one. */
async function readPatiently(
  view: ShardView,
  maxTableBytes: number,
  { client, scope, clock, signal }: LivingOptions,
): Promise<(LivingShard & { readonly bytes: number }) | 'too large' | 'unreadable'> {
  const pace = new Pace(clock, 1)
  for (let tries = 1; ; tries++) {
    try {
      const readAtMs = clock.nowMs()
      await refresh(client, view.index, signal)
      const place = { index: view.index, shard: view.shard, node: view.identity.node }
      const keyless = new CollectedKeys()
      const keys = await readLiveKeys(client, place, { scope, maxTableBytes, pace, signal, keyless })
      if (keys === undefined) return 'too large'
      const bytes = keys.bytes + keyless.bytes
      return { view, table: await keys.seal(), keyless: await keyless.seal(), readAtMs, bytes }
    } catch (error) {
      if (!isFreshetError(error) || !PASSES.has(error.code)) throw error
      if (tries === TRIES) return 'unreadable'
      await clock.sleep(PAUSE_MS, signal)
      const now = await findAgain(client, view, signal)
      if (now === undefined) return 'unreadable'
      view = now
    }
  }
}

const PASSES: ReadonlySet<string> = new Set(['SHARD_UNAVAILABLE', 'SEARCH_PARTIAL', 'INDEX_MISSING'])

/** The same shard as it stands now; undefined when it cannot be read, or is another. */
async function findAgain(
  client: Client,
  { index, shard, identity }: ShardView,
  signal: AbortSignal,
): Promise<ShardView | undefined> {
  try {
    const { readable } = await readShards(client, index, signal)
    return readable.find((view) => view.shard === shard && isSameHistory(view.identity, identity))
  } catch (error) {
    if (isFreshetError(error, 'INDEX_MISSING')) return undefined
    throw error
  }
}
