/** What Elasticsearch answers. */
import { Buffer } from 'node:buffer'
import { cutSearchPage } from '@freshet/adapters/elasticsearch/cut-hits.ts'
import { cutPool } from '@freshet/adapters/elasticsearch/cut-pool.ts'
import { cutTimestampedPage } from '@freshet/adapters/elasticsearch/cut-timestamped-hits.ts'
import { checkpointsIn } from '@freshet/adapters/elasticsearch/global-checkpoints.ts'
import { parseProblem } from '@freshet/adapters/elasticsearch/search-bytes.ts'
import { causeReasonOf, causeTypeOf, refusal } from '@freshet/adapters/elasticsearch/translate.ts'
import { FieldCutter } from '@freshet/capture/cut-field.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { expect } from 'vitest'
import { fuzz } from './fuzz.kit.ts'
import { expectRank } from './rank.kit.ts'

const shards = { total: 1, successful: 1, skipped: 0, failed: 0 }
const answer = (hits: readonly object[], more: object = {}) =>
  Buffer.from(
    JSON.stringify({ took: 1, timed_out: false, _shards: shards, hits: { max_score: null, hits }, ...more }),
  )

const bySeqNo = (n: number) => ({
  ...{ _index: 'flights', _id: `id-${n}`, _score: null, _seq_no: n, _primary_term: 1 },
  ...{ _source: { __proto__: 1, delay: n, text: '"}]\\' }, sort: [n], matched_queries: ['freshet.scope'] },
})
const escaped = { ...bySeqNo(3), _id: 'a"\\\u0001é' }
const expectNumbers = ({ primaryTerm, seqNo }: { primaryTerm: number; seqNo: number }) =>
  expectRank({ revision: { documentVersion: 0, epoch: 1, primaryTerm, seqNo }, modelGeneration: 1 })

fuzz({
  name: 'search-hits',
  format: 'json',
  codes: ['HIT_MALFORMED', 'INDEX_NOT_CAPTURABLE'],
  valid: [answer([]), answer([1, 2, 3].map(bySeqNo)), answer([bySeqNo(1), escaped, bySeqNo(4), bySeqNo(5)])],
  read(bytes) {
    const page = cutSearchPage(bytes, { scope: true, source: true })
    expect(page.timedOut).toBeTypeOf('boolean')
    for (const hit of page.hits) {
      expectNumbers(hit)
      expect(hit.id).toBeTypeOf('string')
      expect(hit.index).toBeTypeOf('string')
      expect(hit.idBytes?.toString()).toBe(hit.id)
      expect(hit.source.length).toBeLessThanOrEqual(bytes.length)
      expect(hit.isInScope).toBeTypeOf('boolean')
    }
  },
})

const byTime = (n: number) => ({
  ...{ _index: 'flights', _id: `id-${n}`, _version: n, _source: { delay: n } },
  ...{ sort: [1_700_000_000_000 + n, 'x'], matched_queries: ['freshet.scope'] },
})

fuzz({
  name: 'timestamped-hits',
  format: 'json',
  codes: ['HIT_MALFORMED', 'INDEX_NOT_CAPTURABLE'],
  valid: [answer([], { pit_id: 'p' }), answer([1, 2].map(byTime), { pit_id: 'p' })],
  read(bytes) {
    for (const hit of cutTimestampedPage(bytes, true).hits) {
      expectNumbers(hit)
      expect(hit.id).toBeTypeOf('string')
    }
  },
})

fuzz({
  name: 'pool',
  format: 'json',
  codes: ['HIT_MALFORMED'],
  valid: [
    answer([]),
    answer([
      { _index: 'flights', _id: 'a"', _source: { delay: 1 } },
      { _index: 'flights', _id: 'b' },
    ]),
  ],
  read(bytes) {
    const { hits, isWhole } = cutPool(bytes)
    expect(isWhole).toBeTypeOf('boolean')
    for (const { id, index, source } of hits) {
      for (const text of [id, index]) expect(text).toBeTypeOf('string')
      expect(source.length).toBeGreaterThan(0)
    }
  },
})

fuzz({
  name: 'checkpoints',
  format: 'json',
  codes: ['HIT_MALFORMED'],
  valid: [
    Buffer.from(
      '{"indices":{"flights":{"uuid":"u","shards":{"0":[{"routing":{"primary":true},"seq_no":{"global_checkpoint":7}}]}}}}',
    ),
    Buffer.from('{}'),
  ],
  read(bytes) {
    for (const { index, indexUuid, shard, checkpoint } of checkpointsIn(bytes)) {
      for (const text of [index, indexUuid]) expect(text).toBeTypeOf('string')
      for (const whole of [shard, checkpoint]) expect(whole).toSatisfy(Number.isSafeInteger)
    }
  },
})

fuzz({
  name: 'refusal',
  format: 'json',
  codes: [],
  valid: [
    Buffer.from(
      '{"error":{"root_cause":[{"type":"index_not_found_exception","reason":"no such index"}],"type":"index_not_found_exception","reason":"no such index"},"status":404}',
    ),
    Buffer.from('{"error":"incorrect method","status":405}'),
    Buffer.from('<html>'),
  ],
  read(bytes) {
    const problem = parseProblem(bytes)
    for (const said of [causeTypeOf(problem), causeReasonOf(problem)])
      if (said !== undefined) expect(said).toBeTypeOf('string')
    expect(refusal(400, problem, 'reading')).toBeInstanceOf(FreshetError)
  },
})

fuzz({
  name: 'document-field',
  format: 'json',
  codes: ['HIT_MALFORMED'],
  valid: [
    Buffer.from('{"a":{"b":"text"},"c":1}'),
    Buffer.from('{"a.b":12345678901234567890}'),
    Buffer.from('{"a":{"b":"\\u00e9\\"","__proto__":{}}}'),
  ],
  read(bytes) {
    for (const path of ['a.b', 'a', '__proto__.constructor', 'version']) {
      const field = new FieldCutter(path)
      const text = field.text(bytes)
      if (text !== undefined) expect(text).toBeInstanceOf(Buffer)
      const count = field.count(bytes)
      if (count !== undefined) expect(count).toSatisfy(Number.isSafeInteger)
      field.describe(bytes)
    }
  },
})
