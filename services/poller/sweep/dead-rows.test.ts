import { Buffer } from 'node:buffer'
import { compareRevisions, type Revision } from '@freshet/records/revision.ts'
import { scoreBatchOf } from '@freshet/records/score-batch.kit.ts'
import type { RowState } from '@freshet/records/score-batch.ts'
import { rowsOfBatch, type StoredRows } from '@freshet/records/stored-rows.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DeadRows, type LiveShardKeys } from './dead-rows.ts'

const EPOCH = 100

interface Row {
  readonly key: string
  readonly revision: Revision
  readonly state?: RowState
}

function pageOf(rows: readonly Row[]): StoredRows {
  return rowsOfBatch(
    scoreBatchOf(
      rows.map(({ key, revision, state = 'scored' }) => ({
        key,
        ...revision,
        asOfMs: 0,
        state,
        outputs: state === 'scored' ? [0.5] : [],
      })),
    ),
  )
}

function living(keys: Iterable<string>, more: Partial<LiveShardKeys> = {}): LiveShardKeys {
  const all = new Set(keys)
  const has = (bytes: Uint8Array, from: number, to: number) =>
    all.has(Buffer.from(bytes.subarray(from, to)).toString())
  return { key: 'u/0', epoch: EPOCH, checkpoint: 10, maxSeqNo: 10, table: { has }, ...more }
}

const revision = (more: Partial<Revision> = {}): Revision => ({
  documentVersion: 0,
  epoch: EPOCH,
  primaryTerm: 1,
  seqNo: 5,
  ...more,
})
const found = (dead: DeadRows, ...rows: readonly Row[]) =>
  dead.find(pageOf(rows)).map((tombstone) => ({ ...tombstone, key: tombstone.key.toString() }))

describe('a row of the snapshot', () => {
  test('whose key lives no more is deleted at the checkpoint of the start', () => {
    const dead = new DeadRows([living(['a'])], [])
    expect(
      found(
        dead,
        { key: 'a', revision: revision() },
        { key: 'b', revision: revision({ documentVersion: 7 }) },
        { key: 'c', revision: revision(), state: 'unscorable' },
      ),
    ).toEqual([
      { key: 'b', revision: { documentVersion: 7, epoch: EPOCH, primaryTerm: 1, seqNo: 10 } },
      { key: 'c', revision: { documentVersion: 0, epoch: EPOCH, primaryTerm: 1, seqNo: 10 } },
    ])
  })

  /** A replica that had not yet met the last primary, which died before it wrote anything, brings operations of before. */
  test('is deleted in its own term: a document of that term that only the next primary brings outranks the tombstone', () => {
    const [tombstone] = found(new DeadRows([living([])], []), { key: 'a', revision: revision() })
    expect(compareRevisions(revision({ seqNo: 11 }), tombstone!.revision)).toBeGreaterThan(0)
  })

  test('that is a tombstone, of another shard, or written since, stays as it is', () => {
    const dead = new DeadRows([living([])], [])
    expect(
      found(
        dead,
        { key: 'a', revision: revision(), state: 'deleted' },
        { key: 'b', revision: revision({ epoch: 99 }) },
        { key: 'c', revision: revision({ seqNo: 11 }) },
      ),
    ).toEqual([])
  })

  test('of a dead epoch is deleted above whatever that epoch may still bring', () => {
    const dead = new DeadRows([living(['a'])], [99])
    expect(found(dead, { key: 'a', revision: revision({ epoch: 99, seqNo: 1_000 }) })).toEqual([
      {
        key: 'a',
        revision: { documentVersion: 0, epoch: 99, primaryTerm: 2 ** 32 - 1, seqNo: 2 ** 53 - 1 },
      },
    ])
  })

  test('of a dead epoch stays where a version decides and its document is known to live with a lower one', () => {
    const dead = new DeadRows([living(['a'])], [99])
    const versioned = revision({ epoch: 99, documentVersion: 7 })
    const keys = found(dead, { key: 'a', revision: versioned }, { key: 'b', revision: versioned })
    expect(keys.map(({ key }) => key)).toEqual(['b'])
  })

  test('that has the very revision of its tombstone is told, since it would stay', () => {
    const dead = new DeadRows([living([])], [])
    expect(found(dead, { key: 'a', revision: revision({ seqNo: 10 }) })).toEqual([])
    expect(dead.tied).toEqual(new Set(['u/0']))
  })

  test('that was there at the start, above a checkpoint that a new primary knew for a moment, is told as well', () => {
    const dead = new DeadRows([living(['b'], { checkpoint: 3, maxSeqNo: 10 })], [])
    expect(
      found(dead, { key: 'b', revision: revision() }, { key: 'c', revision: revision({ seqNo: 11 }) }),
    ).toEqual([])
    expect(dead.tied).toEqual(new Set())
    expect(found(dead, { key: 'a', revision: revision() })).toEqual([])
    expect(dead.tied).toEqual(new Set(['u/0']))
  })
})

/**
 * All that can happen to a shard around a sweep. An operation's place is its sequence number; the term rises now and
 * then. The sweep begins when some were executed and the checkpoint had passed some of those; its keys are read later.
 * The snapshot holds of each key any version that was ever emitted.
 */
const history = fc
  .array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      isDelete: fc.boolean(),
      newTerm: fc.constantFrom(0, 0, 0, 1),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .chain((operations) => {
    const moments = fc.array(fc.nat(operations.length), { minLength: 3, maxLength: 3 })
    return fc.record({ operations: fc.constant(operations), moments, emitted: fc.infiniteStream(fc.nat()) })
  })
  .map(({ operations, moments, emitted }) => {
    let primaryTerm = 1
    const log = operations.map(({ key, isDelete, newTerm }, seqNo) => {
      primaryTerm += newTerm
      return { key, isDelete, revision: revision({ primaryTerm, seqNo }) }
    })
    const [durable, started, read] = moments.toSorted((a, b) => a - b) as [number, number, number]
    const rows = ['a', 'b', 'c', 'd'].flatMap((key) => {
      const versions = log.filter((operation) => operation.key === key && !operation.isDelete)
      return versions.length === 0
        ? []
        : [{ key, revision: versions[emitted.next().value! % versions.length]!.revision }]
    })
    return { log, checkpoint: durable - 1, started, read, rows }
  })

/** After the first `count` operations: of each key its document's revision, or undefined. */
function documentsAfter(
  log: readonly { key: string; isDelete: boolean; revision: Revision }[],
  count: number,
) {
  const documents = new Map<string, Revision>()
  for (const { key, isDelete, revision } of log.slice(0, count))
    if (isDelete) documents.delete(key)
    else documents.set(key, revision)
  return documents
}

test('whatever is written and deleted meanwhile, no living document gets a tombstone that outranks it', () => {
  fc.assert(
    fc.property(history, ({ log, checkpoint, started, read, rows }) => {
      const keys = documentsAfter(log, read).keys()
      const start = { checkpoint, maxSeqNo: started - 1 }
      const dead = new DeadRows([living(keys, start)], [])
      const atTheEnd = documentsAfter(log, log.length)
      for (const tombstone of found(dead, ...rows)) {
        const document = atTheEnd.get(tombstone.key)
        if (document !== undefined) expect(compareRevisions(document, tombstone.revision)).toBeGreaterThan(0)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('every key that was dead at the start gets one that outranks its row, or keeps the shard due', () => {
  fc.assert(
    fc.property(history, ({ log, checkpoint, started, read, rows }) => {
      const keys = documentsAfter(log, read)
      const start = { checkpoint, maxSeqNo: started - 1 }
      const dead = new DeadRows([living(keys.keys(), start)], [])
      const tombstones = new Map(found(dead, ...rows).map(({ key, revision }) => [key, revision]))
      const atTheStart = documentsAfter(log, started)
      for (const { key, revision } of rows) {
        // What was written from then on, nobody calls dead.
        if (atTheStart.has(key) || keys.has(key) || revision.seqNo >= started) continue
        const tombstone = tombstones.get(key)
        if (tombstone === undefined) expect(dead.tied.size).toBe(1)
        else expect(compareRevisions(tombstone, revision)).toBeGreaterThan(0)
      }
    }),
    { numRuns: 2_000 },
  )
})
