import type { Revision } from '@freshet/records/revision.ts'
import { compareRevisions } from '@freshet/records/revision.ts'
import { ROW_STATES } from '@freshet/records/score-batch.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type HeldRow, judge } from './verify-judge.ts'

const context = { generation: 3, isLiveEpoch: (epoch: number) => epoch === 100 || epoch === 200 }
const document: Revision = { documentVersion: 0, epoch: 100, primaryTerm: 2, seqNo: 50 }

const row = (revision: Partial<Revision> = {}, rest: Partial<HeldRow> = {}): HeldRow => ({
  revision: { ...document, ...revision },
  modelGeneration: 3,
  state: 'scored',
  ...rest,
})
const stands = (held: HeldRow | undefined) => judge(document, held, context)

test('a score of the current revision by the current model is what everybody wants', () => {
  expect(stands(row())).toEqual({ standing: 'scored', hidden: false })
})

test('a document written during the run is not reported: a newer row than what was read is fine', () => {
  expect(stands(row({ seqNo: 51 }))).toEqual({ standing: 'scored', hidden: false })
  expect(stands(row({ primaryTerm: 3, seqNo: 49 }))).toEqual({ standing: 'scored', hidden: false })
})

test('without a row, or with the memory of an earlier delete, a document is missing', () => {
  expect(stands(undefined)).toEqual({ standing: 'missing', hidden: false })
  expect(stands(row({ seqNo: 49 }, { state: 'deleted' }))).toEqual({ standing: 'missing', hidden: false })
})

test('a score of an older revision is stale, also one of an earlier life of its index', () => {
  expect(stands(row({ seqNo: 49 })).standing).toBe('stale')
  expect(stands(row({ epoch: 99, seqNo: 1_000 })).standing).toBe('stale')
  expect(stands(row({ seqNo: 49 }, { state: 'unscorable' })).standing).toBe('stale')
})

test('a score by an older model is told apart from a missing one', () => {
  expect(stands(row({}, { modelGeneration: 2 }))).toEqual({ standing: 'olderModel', hidden: false })
})

test('a score above the promoted generation is none that a promotion would replace, and not taken for well', () => {
  expect(stands(row({}, { modelGeneration: 4 }))).toEqual({ standing: 'newerModel', hidden: false })
})

test('a dead letter of the current revision is set aside, not missing', () => {
  expect(stands(row({}, { state: 'unscorable' }))).toEqual({ standing: 'setAside', hidden: false })
})

test('a living document below a tombstone is missing, and emitting it again cannot help', () => {
  for (const revision of [{}, { seqNo: 60 }, { epoch: 200 }])
    expect(stands(row(revision, { state: 'deleted' }))).toEqual({ standing: 'missing', hidden: true })
})

test('a newer copy of the key in another index speaks for it, but not one in an index that is no more', () => {
  expect(stands(row({ epoch: 200, seqNo: 1 }))).toEqual({ standing: 'scored', hidden: false })
  expect(stands(row({ epoch: 150, seqNo: 1 }))).toEqual({ standing: 'stale', hidden: true })
})

test('where a version decides, the copy with the higher one speaks for the key', () => {
  const ours = { ...document, documentVersion: 5 }
  expect(judge(ours, row({ documentVersion: 6, epoch: 99 }), context).standing).toBe('stale')
  const lower = { generation: 3, isLiveEpoch: () => true }
  expect(judge(ours, row({ documentVersion: 6, epoch: 99 }), lower).standing).toBe('scored')
  expect(judge(ours, row({ documentVersion: 4, epoch: 200 }), lower).standing).toBe('stale')
})

test('no row below the revision of a document ever makes it complete', () => {
  const revision = fc.record({
    documentVersion: fc.nat(2),
    epoch: fc.constantFrom(100, 200, 300),
    primaryTerm: fc.nat(2),
    seqNo: fc.nat(3),
  })
  const held = fc.record({
    revision,
    modelGeneration: fc.integer({ min: 1, max: 4 }),
    state: fc.constantFrom(...ROW_STATES),
  })
  fc.assert(
    fc.property(revision, held, (living, there) => {
      const { standing, hidden } = judge(living, there, context)
      const isCurrent = ['scored', 'olderModel', 'newerModel', 'setAside'].includes(standing)
      if (isCurrent) {
        expect(compareRevisions(there.revision, living)).toBeGreaterThanOrEqual(0)
        expect(there.state).not.toBe('deleted')
      }
      // Emitting the document helps exactly where it outranks what is there.
      else expect(hidden).toBe(compareRevisions(there.revision, living) >= 0)
    }),
  )
})
