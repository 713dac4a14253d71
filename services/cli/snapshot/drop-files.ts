import { randomBytes } from 'node:crypto'
import { isFreshetError } from '@freshet/errors/errors.ts'
import type { Manifest, ManifestPartition } from '@freshet/records/manifest.ts'
import { readManifest } from '@freshet/snapshot/manifest.ts'
import { type Committer, commitManifest, type PartitionChange } from '@freshet/snapshot/manifest-commit.ts'

/**
 * Takes files out of the manifest. The scorer that writes their partitions is fenced by it, and goes on from the manifest
 * by itself; when it is faster than we are, its manifest is read and the files are taken out of that.
 * @throws MANIFEST_FENCED when it was faster again and again; and what the store throws
 */
export async function dropFiles(
  committer: Committer,
  objects: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const current = await readManifest(committer.store, committer.pipeline, signal)
    if (current === undefined) return
    const beganAtMs = committer.clock.nowMs()
    const changes = changesOf(current.manifest, objects, beganAtMs)
    if (changes.size === 0) return
    try {
      const attempt = randomBytes(6).toString('hex')
      await commitManifest(committer, { changes, attempt, beganAtMs }, signal)
      return
    } catch (error) {
      if (!isFreshetError(error, 'MANIFEST_FENCED') || tries === MAX_TRIES) throw error
    }
  }
}

const MAX_TRIES = 10

function changesOf(
  { partitions }: Manifest,
  objects: ReadonlySet<string>,
  nowMs: number,
): ReadonlyMap<number, PartitionChange> {
  const changes = new Map<number, PartitionChange>()
  for (const [partition, expected] of Object.entries(partitions)) {
    const next = without(expected, objects, nowMs)
    if (next !== undefined) changes.set(Number(partition), { expected, next })
  }
  return changes
}

/** undefined: it has none of them. What is taken out stays in the bucket for an hour, as all that is replaced. */
function without(
  partition: ManifestPartition,
  objects: ReadonlySet<string>,
  nowMs: number,
): ManifestPartition | undefined {
  const { base, deltas, retired } = partition
  const isBaseBad = base !== null && objects.has(base.object)
  const bad = [...(isBaseBad ? [base] : []), ...deltas.filter(({ object }) => objects.has(object))]
  if (bad.length === 0) return undefined
  return {
    ...partition,
    base: isBaseBad ? null : base,
    deltas: deltas.filter(({ object }) => !objects.has(object)),
    retired: [...retired, ...bad.map(({ object }) => ({ object, into: '', atMs: nowMs }))],
  }
}
