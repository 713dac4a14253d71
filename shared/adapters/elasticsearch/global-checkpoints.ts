import type { Client } from '@elastic/elasticsearch'
import { FreshetError } from '@freshet/errors/errors.ts'
import { parseJson } from '@freshet/records/parse-with.ts'
import { readCheckpoints } from './checkpoints.ts'

/** How far a primary shard may be captured, as somebody sees it who captures nothing. */
export interface GlobalCheckpoint {
  readonly index: string
  readonly indexUuid: string
  readonly shard: number
  /** -1 where nothing was written. */
  readonly checkpoint: number
}

/**
 * The global checkpoints of all open primaries behind an index, alias or pattern: one small request, which needs no more
 * than the poller's privilege `monitor` on the index. A shard without a started primary is left out.
 * @throws ELASTICSEARCH_UNREACHABLE, ELASTICSEARCH_UNAUTHORIZED, INDEX_BLOCKED, HIT_MALFORMED
 */
export async function readGlobalCheckpoints(
  client: Client,
  index: string,
  signal: AbortSignal,
): Promise<readonly GlobalCheckpoint[]> {
  return checkpointsIn(await readCheckpoints(client, index, signal))
}

/** Pure. @throws HIT_MALFORMED */
export function checkpointsIn(answer: Buffer): readonly GlobalCheckpoint[] {
  const { indices } = objectOf(parse(answer))
  return Object.entries(objectOf(indices)).flatMap(([index, of]) => {
    const { uuid, shards } = objectOf(of)
    return Object.entries(objectOf(shards)).flatMap(([shard, copies]) => {
      const checkpoint = checkpointOf(copies)
      if (uuid === undefined || checkpoint === undefined || checkpoint === NOT_KNOWN_YET) return []
      return {
        index,
        indexUuid: textOf(uuid),
        shard: wholeOf(Number(shard)),
        checkpoint: wholeOf(checkpoint),
      }
    })
  })
}

/** UNASSIGNED_SEQ_NO: of a primary that still recovers. */
const NOT_KNOWN_YET = -2

/** Of the primary, as it is. */
function checkpointOf(copies: unknown): unknown {
  if (!Array.isArray(copies)) throw otherShape()
  const primary = copies.map(objectOf).find(({ routing }) => objectOf(routing)['primary'] === true)
  return objectOf(primary?.['seq_no'])['global_checkpoint']
}

function objectOf(value: unknown = {}): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  throw otherShape()
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw otherShape()
}

function wholeOf(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= -1) return value as number
  throw otherShape()
}

function parse(answer: Buffer): unknown {
  return parseJson(answer.toString(), {
    code: 'HIT_MALFORMED',
    what: 'the answer with the statistics of the shards',
  })
}

function otherShape(): FreshetError {
  return new FreshetError('HIT_MALFORMED', 'the statistics of the shards have another shape')
}
