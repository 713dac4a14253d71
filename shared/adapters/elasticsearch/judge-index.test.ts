import { describe, expect, test } from 'vitest'
import { toDescription } from './describe-indices.ts'
import { type IndexDescription, judgeIndex, judgeTimestampField } from './judge-index.ts'

const plain: IndexDescription = {
  uuid: 'u',
  shards: 1,
  kind: 'standard',
  isClosed: false,
  isReadBlocked: false,
  hasSequenceNumbers: true,
  source: 'stored',
  prunesSource: false,
  archive: null,
  filteredAliases: [],
}
const judge = (part: Partial<IndexDescription>, mode: 'seqNo' | 'timestamp' = 'seqNo') =>
  judgeIndex('flights', { ...plain, ...part }, mode)

describe('an index', () => {
  test('with _source and sequence numbers can be captured', () => {
    expect(judge({})).toEqual({ verdict: 'capturable', reason: null, notes: [] })
  })

  test.each<[string, Partial<IndexDescription>, RegExp]>([
    [
      'without sequence numbers',
      { hasSequenceNumbers: false },
      /reindex .* or set elasticsearch.mode to timestamp/,
    ],
    ['of time series', { kind: 'time_series' }, /reindex .* or set elasticsearch.mode to timestamp/],
    ['without _source', { source: 'disabled' }, /reindex from where the documents come from/],
    ['mounted as a searchable snapshot', { archive: 'searchable snapshot' }, /restore it as a normal index/],
    ['restored from a source-only snapshot', { archive: 'source-only' }, /reindex it/],
    ['that is frozen', { archive: 'frozen' }, /unfreeze it/],
  ])('%s is refused, with the way out', (_, part, wayOut) => {
    expect(judge(part)).toMatchObject({ verdict: 'refused', reason: expect.stringMatching(wayOut) })
  })

  test('without sequence numbers can be captured by timestamp, without _source not even so', () => {
    expect(judge({ hasSequenceNumbers: false }, 'timestamp').verdict).toBe('capturable')
    expect(judge({ kind: 'time_series' }, 'timestamp').verdict).toBe('capturable')
    expect(judge({ source: 'disabled' }, 'timestamp').verdict).toBe('refused')
  })

  test('that is closed or blocked waits, and says for what', () => {
    expect(judge({ isClosed: true })).toMatchObject({
      verdict: 'closed',
      reason: expect.stringMatching(/open it/),
    })
    expect(judge({ isReadBlocked: true })).toMatchObject({
      verdict: 'blocked',
      reason: expect.stringMatching(/index.blocks.read: set it to false/),
    })
  })

  test('whose bytes are not those that were sent, or that an alias shows in part, is captured with a note', () => {
    const { verdict, notes } = judge({ source: 'synthetic', prunesSource: true, filteredAliases: ['mine'] })
    expect(verdict).toBe('capturable')
    expect(notes).toEqual([
      expect.stringMatching(/^synthetic _source/),
      expect.stringMatching(/leaves fields out/),
      expect.stringMatching(/filter of its alias mine is not applied/),
    ])
  })
})

describe('a timestamp field', () => {
  const judgeType = (type: string | undefined) =>
    judgeTimestampField('flights', judge({}, 'timestamp'), 'updatedAt', type)

  test('is a date, of whatever precision', () => {
    expect(judgeType('date')).toMatchObject({ verdict: 'capturable', notes: [] })
    expect(judgeType('date_nanos')).toMatchObject({ verdict: 'capturable', notes: [] })
  })

  test('that no document has yet is only noted: the first one brings its mapping', () => {
    expect(judgeType(undefined)).toMatchObject({
      verdict: 'capturable',
      notes: [expect.stringMatching(/no document has updatedAt yet/)],
    })
  })

  test('of another type is refused, with the way out', () => {
    expect(judgeType('long')).toMatchObject({
      verdict: 'refused',
      reason: expect.stringMatching(/as long, and timestamp mode needs a date/),
    })
  })
})

describe('the settings of an index', () => {
  test('count before the defaults of its kind, and what a version does not know is as it always was', () => {
    const own = { uuid: 'u', number_of_shards: '3' }
    expect(toDescription({ settings: { index: own } })).toEqual({ ...plain, shards: 3 })
    const logsdb = { settings: { index: { ...own, mode: 'logsdb' } } }
    const synthetic = { index: { mapping: { source: { mode: 'SYNTHETIC' } } } }
    expect(toDescription({ ...logsdb, defaults: synthetic }).source).toBe('synthetic')
    const stored = { ...own, mode: 'logsdb', mapping: { source: { mode: 'stored' } } }
    expect(toDescription({ settings: { index: stored }, defaults: synthetic }).source).toBe('stored')
  })

  test.each([
    [{ verified_before_close: 'true' }, { isClosed: true }],
    [{ blocks: { read: 'true' } }, { isReadBlocked: true }],
    [{ disable_sequence_numbers: 'true' }, { hasSequenceNumbers: false }],
    [{ store: { type: 'snapshot' } }, { archive: 'searchable snapshot' }],
    [{ source_only: 'true' }, { archive: 'source-only' }],
    [{ frozen: 'true' }, { archive: 'frozen' }],
  ])('%j mean %j', (settings, meaning) => {
    expect(toDescription({ settings: { index: settings } })).toMatchObject(meaning)
  })

  test('_source is disabled, synthetic or pruned by its mapping too', () => {
    const sourceOf = (_source: object) => toDescription({ mappings: { _source } })
    expect(sourceOf({ enabled: false }).source).toBe('disabled')
    expect(sourceOf({ mode: 'synthetic' }).source).toBe('synthetic')
    expect(sourceOf({ excludes: ['secret'] }).prunesSource).toBe(true)
  })
})
