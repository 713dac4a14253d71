import type { Client } from '@elastic/elasticsearch'
import { FreshetError } from '@freshet/errors/errors.ts'
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
  const { indices = {} } = parse(answer)
  return Object.entries(indices).flatMap(([index, { uuid, shards = {} }]) =>
    Object.entries(shards).flatMap(([shard, copies]) => {
      const checkpoint = copies.find(({ routing }) => routing?.primary)?.seq_no?.global_checkpoint
      if (uuid === undefined || checkpoint === undefined) return []
      return { index, indexUuid: uuid, shard: Number(shard), checkpoint }
    }),
  )
}

interface Answer {
  readonly indices?: Readonly<
    Record<string, { readonly uuid?: string; readonly shards?: Readonly<Record<string, readonly Copy[]>> }>
  >
}

interface Copy {
  readonly routing?: { readonly primary?: boolean }
  readonly seq_no?: { readonly global_checkpoint?: number }
}

function parse(answer: Buffer): Answer {
  try {
    return JSON.parse(answer.toString()) as Answer
  } catch (cause) {
    throw new FreshetError('HIT_MALFORMED', 'the statistics of the shards are no JSON', { cause })
  }
}
