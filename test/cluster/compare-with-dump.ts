/** What was emitted against what lives: the proof that needs neither scorer nor stores. */
import { Buffer } from 'node:buffer'
import type { Client } from '@elastic/elasticsearch'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { CHANGE_HEADER, type Change, decodeChange } from '@freshet/records/change.ts'
import { compareRevisions } from '@freshet/records/revision.ts'
import { topicName } from '@freshet/records/topics.ts'

const READ_MS = 120_000
const DUMP_ROWS = 2_000

export interface DumpReport {
  readonly liveDocuments: number
  readonly emitted: number
  /** Live, and its current version was never emitted, or not with the bytes that it has. */
  readonly missed: readonly string[]
  /** Something was emitted that outranks what lives: it would hide it for good. */
  readonly outranked: readonly string[]
}

/** @param index of which nothing is written any more. */
export async function compareWithDump(
  connection: KafkaConnection,
  pipeline: string,
  client: Client,
  index: string,
): Promise<DumpReport> {
  const live = await dump(client, index)
  const changes = await readChanges(connection, pipeline)
  const byKey = Map.groupBy(changes, ({ key }) => key.toString())
  const missed: string[] = []
  const outranked: string[] = []
  for (const [key, document] of live) {
    const ofKey = byKey.get(key) ?? []
    const current = ofKey
      .filter((change) => isVersion(change, document))
      .sort(byRevision)
      .at(-1)
    if (current === undefined) missed.push(key)
    else if (ofKey.some((change) => byRevision(change, current) > 0)) outranked.push(key)
  }
  return { liveDocuments: live.size, emitted: changes.length, missed, outranked }
}

/** Everything that `.changes` holds now, in the order of its partitions. */
export async function readChanges(connection: KafkaConnection, pipeline: string): Promise<Change[]> {
  const changes: Change[] = []
  await readAll(connection, topicName(pipeline, 'changes'), {
    deadlineMs: READ_MS,
    signal: AbortSignal.timeout(READ_MS),
    onMessage: (_, { key, headers, value }) => {
      changes.push(decodeChange(key!, headers[CHANGE_HEADER], value))
    },
  })
  return changes
}

interface LiveVersion {
  readonly seqNo: number
  readonly primaryTerm: number
  readonly source: Buffer
}

/** Every live document by `index/id`. The bytes are those that were sent: the tests write what JSON.stringify writes. */
async function dump(client: Client, index: string): Promise<Map<string, LiveVersion>> {
  await client.indices.refresh({ index })
  const live = new Map<string, LiveVersion>()
  const pit = await client.openPointInTime({ index, keep_alive: '1m' })
  for (let after: unknown[] | undefined; ; ) {
    const { hits } = await client.search<object>({
      pit: { id: pit.id, keep_alive: '1m' },
      size: DUMP_ROWS,
      seq_no_primary_term: true,
      sort: [{ _shard_doc: 'asc' }],
      ...(after && { search_after: after as number[] }),
    })
    for (const { _index, _id, _seq_no, _primary_term, _source } of hits.hits)
      live.set(`${_index}/${_id}`, {
        seqNo: _seq_no!,
        primaryTerm: _primary_term!,
        source: Buffer.from(JSON.stringify(_source)),
      })
    if (hits.hits.length < DUMP_ROWS) break
    after = hits.hits.at(-1)?.sort
  }
  await client.closePointInTime({ id: pit.id })
  return live
}

function isVersion({ revision, source }: Change, document: LiveVersion): boolean {
  return (
    revision.seqNo === document.seqNo &&
    revision.primaryTerm === document.primaryTerm &&
    source?.equals(document.source) === true
  )
}

function byRevision(a: Change, b: Change): number {
  return compareRevisions(a.revision, b.revision)
}
