/**
 * Which generation a promotion gets. Stores keep the row of highest generation, so one that was used must never be given
 * again, even where the pointer that counts them was lost: a lower one would have no effect, and nobody would hear of it.
 * So the last one given is kept in an object of its own, which only grows and is written before the pointer; losing
 * either costs nothing. Where both are gone although there are scores, nothing tells how far the count was: then the
 * seconds since 1970 are taken, which no count of promotions comes near, and counting goes on from there. Always taking
 * them would be simpler, but people say generations to each other, and two promotions may fall into one second.
 */

import { Buffer } from 'node:buffer'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import { getIfThere } from '@freshet/ports/get-if-there.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { jsonRecord } from '@freshet/records/json-record.ts'
import { MANIFEST_OBJECT, manifestRecord } from '@freshet/records/manifest.ts'
import { MAX_MODEL_GENERATION } from '@freshet/records/revision.ts'
import { z } from 'zod'

const generationsSchema = z.object({
  version: z.literal(1),
  /** The highest that was ever given, whether its promotion came to an end or not. */
  lastGeneration: z.int().min(1).max(MAX_MODEL_GENERATION),
})

type Generations = z.infer<typeof generationsSchema>

const GENERATIONS_OBJECT = 'models/generation.json'
export const generationsRecord = jsonRecord<Generations>('last generation', 1, generationsSchema)

/** What was found at the object's key. */
interface Given {
  /** null: nothing that can be read. */
  readonly lastGeneration: number | null
  /** null: no object is there. */
  readonly etag: string | null
}

interface Pointed {
  /** Of the pointer; null where none is there, or it cannot be read. */
  readonly generation: number | null
  /** It is there and cannot be read, so something was promoted. */
  readonly isDamaged: boolean
}

/**
 * Takes the next generation: no other promotion gets it, even if this one ends here.
 * @param above the caller knows of rows with this generation
 * @throws OBJECT_CHANGED when another promotion takes one at the same time; RECORD_VERSION
 */
export async function takeGeneration(
  store: ObjectStore,
  pointed: Pointed,
  { nowMs, above = 0 }: { nowMs: number; above?: number },
  signal?: AbortSignal,
): Promise<number> {
  const given = await readGiven(store, signal)
  const isLost = pointed.generation === null && given.lastGeneration === null
  const wasPromoted = isLost && (pointed.isDamaged || given.etag !== null || (await hasScores(store, signal)))
  const floor = wasPromoted ? Math.floor(nowMs / 1_000) : 0
  const generation = Math.max(pointed.generation ?? 0, given.lastGeneration ?? 0, floor, above) + 1
  if (generation > MAX_MODEL_GENERATION)
    throw new FreshetError(
      'USAGE',
      `generation ${generation} is above ${MAX_MODEL_GENERATION}, the highest there is`,
    )
  const body = Buffer.from(generationsRecord.encode({ version: 1, lastGeneration: generation }))
  await store.put(GENERATIONS_OBJECT, body, given.etag === null ? 'absent' : { ifMatch: given.etag }, signal)
  return generation
}

async function readGiven(store: ObjectStore, signal?: AbortSignal): Promise<Given> {
  const stored = await getIfThere(store, GENERATIONS_OBJECT, signal)
  if (stored === null) return { lastGeneration: null, etag: null }
  const { etag } = stored
  try {
    return { lastGeneration: generationsRecord.decode(stored.body).lastGeneration, etag }
  } catch (error) {
    if (isFreshetError(error, 'RECORD_MALFORMED')) return { lastGeneration: null, etag }
    throw error
  }
}

/** Whether the snapshot has files: only a promoted model makes rows. */
async function hasScores(store: ObjectStore, signal?: AbortSignal): Promise<boolean> {
  const stored = await getIfThere(store, MANIFEST_OBJECT, signal)
  if (stored === null) return false
  try {
    const { partitions } = manifestRecord.decode(stored.body)
    return Object.values(partitions).some(({ base, deltas }) => base !== null || deltas.length > 0)
  } catch {
    return true // What cannot be read was written by somebody.
  }
}
