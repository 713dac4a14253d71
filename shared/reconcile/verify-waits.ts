import { readShards, type ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { isSamePrimary } from '@freshet/records/cursor.ts'
import type { Manifest } from '@freshet/records/manifest.ts'
import { readManifest } from '@freshet/snapshot/manifest.ts'
import type { LivingShard } from './living-shards.ts'
import { readCursors } from './read-cursors.ts'
import { type Cursors, capturedOf } from './verify-epochs.ts'
import type { VerifyWorld } from './verify-world.ts'
import { Watermark } from './watermark.ts'

const LOOK_EVERY_MS = 1_000

/** Until when something is waited for. */
export interface Patience {
  readonly untilMs: number
  readonly signal: AbortSignal
}

/** A look has this long however short the wait is. */
const LEAST_LOOK_MS = 15_000
/** What a timer can take. */
const LONGEST_LOOK_MS = 2 ** 31 - 1

/** For one look: a server that hangs must not stretch a wait by its own time-outs and retries. */
export function lookSignal(waitMs: number, signal: AbortSignal): AbortSignal {
  const lookMs = Math.min(LONGEST_LOOK_MS, Math.max(waitMs, LEAST_LOOK_MS))
  return AbortSignal.any([signal, AbortSignal.timeout(lookMs)])
}

/**
 * Waits until the poller has captured every shard up to the checkpoint under which its keys were read.
 * @returns the cursors as they are then, or when patience is over
 */
export async function untilCaptured(
  world: VerifyWorld,
  living: readonly LivingShard[],
  { untilMs, signal }: Patience,
): Promise<Cursors> {
  const { clock, connection, settings, scope, onProgress } = world
  for (;;) {
    const cursors = await readCursors(connection, settings.pipeline, signal)
    const left = living.reduce(
      (sum, shard) => sum + countLater(shard, capturedOf(cursors, shard.view, scope.hash)?.seqNo ?? -1),
      0,
    )
    if (left === 0 || signal.aborted || clock.nowMs() + LOOK_EVERY_MS > untilMs) return cursors
    onProgress(`waiting for the poller: ${left} documents are not captured`)
    await clock.sleep(LOOK_EVERY_MS, signal)
  }
}

/** Documents after `seqNo`, up to the checkpoint. */
function countLater({ view: { globalCheckpoint }, table, keyless }: LivingShard, seqNo: number): number {
  if (seqNo >= globalCheckpoint) return 0
  let count = 0
  for (const documents of [table, keyless])
    for (const at of documents.unmetSeqNos(globalCheckpoint))
      if (at > seqNo && at <= globalCheckpoint) count++
  return count
}

/**
 * Waits until the snapshot holds what was emitted before now.
 * @returns false when patience is over
 */
export async function untilStored(world: VerifyWorld, { untilMs, signal }: Patience): Promise<boolean> {
  const { clock, connection, settings, store, onProgress } = world
  const watermark = await Watermark.now({ connection, store, pipeline: settings.pipeline }, signal)
  try {
    await watermark.wait({
      deadlineMs: Math.max(0, untilMs - clock.nowMs()),
      everyMs: LOOK_EVERY_MS,
      clock,
      signal: lookSignal(untilMs - clock.nowMs(), signal),
      onProgress: (progress) => {
        if (progress.kind === 'scoring')
          onProgress(`waiting for the scorer: ${progress.changesLeft} changes are not scored`)
        if (progress.kind === 'storing')
          onProgress(`waiting for the snapshot: ${progress.batchesLeft} batches are not stored`)
      },
    })
    return true
  } catch (error) {
    if (isFreshetError(error, 'DEADLINE') && !signal.aborted) return false
    throw error
  }
}

/**
 * Waits for a snapshot after this one, in which a sweep may have left its tombstones.
 * @returns false when patience is over
 */
export async function untilNewer(
  { clock, store, settings, onProgress }: VerifyWorld,
  manifest: Manifest | null,
  { untilMs, signal }: Patience,
): Promise<boolean> {
  onProgress('waiting for the sweep: there are scores of documents that no longer live')
  for (;;) {
    const looking = lookSignal(untilMs - clock.nowMs(), signal)
    const now = (await readManifest(store, settings.pipeline, looking))?.manifest
    if ((now?.sequence ?? 0) !== (manifest?.sequence ?? 0)) return true
    if (signal.aborted || clock.nowMs() + LOOK_EVERY_MS > untilMs) return false
    await clock.sleep(LOOK_EVERY_MS, signal)
  }
}

/**
 * Waits until a failover can no longer bring back what was not found among the living: every checkpoint has passed what
 * the primary had when its keys were read, and it is the same primary.
 * @returns the shards of which that is so
 */
export async function untilSettled(
  { client, clock, settings, onProgress }: VerifyWorld,
  living: readonly LivingShard[],
  { untilMs, signal }: Patience,
): Promise<readonly LivingShard[]> {
  const first = await readShards(client, settings.elasticsearch.index, signal)
  const maxSeqNos = new Map(
    living.map((shard) => [shard, viewOf(shard, first.readable)?.maxSeqNo ?? Number.POSITIVE_INFINITY]),
  )
  for (let now = first; ; ) {
    const settled = living.filter((shard) => {
      const view = viewOf(shard, now.readable)
      return view !== undefined && view.globalCheckpoint >= maxSeqNos.get(shard)!
    })
    if (settled.length === living.length || signal.aborted || clock.nowMs() + LOOK_EVERY_MS > untilMs)
      return settled
    onProgress('waiting until no failover can bring back what was deleted')
    await clock.sleep(LOOK_EVERY_MS, signal)
    now = await readShards(client, settings.elasticsearch.index, lookSignal(untilMs - clock.nowMs(), signal))
  }
}

/** As it stands now; only under the very same identity. */
function viewOf(
  { view: { identity, shard } }: LivingShard,
  views: readonly ShardView[],
): ShardView | undefined {
  return views.find((view) => view.shard === shard && isSamePrimary(view.identity, identity))
}
