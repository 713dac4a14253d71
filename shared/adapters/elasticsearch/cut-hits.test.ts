import { Buffer } from 'node:buffer'
import type { Hit } from '@freshet/records/hit.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Asked, cutSearchPage as cut, SCOPE_QUERY } from './cut-hits.ts'

function response(hits: readonly string[]): Buffer {
  return Buffer.from(
    `{"took":3,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":{"max_score":null,"hits":[${hits.join(',')}]}}`,
  )
}

const everything: Asked = { scope: false, source: true }

function cutSearchPage(bytes: Buffer, asked = everything) {
  const page = cut(bytes, asked)
  return { ...page, hits: [...page.hits] }
}

function hit(source: string, id = '"a"'): string {
  return `{"_index":"i","_id":${id},"_seq_no":7,"_primary_term":2,"_score":null,"_source":${source},"sort":[7]}`
}

function parts({ index, id, seqNo, primaryTerm, source, isInScope }: Hit) {
  return { index, id, seqNo, primaryTerm, source: source.toString(), isInScope }
}

describe('a search response', () => {
  test.each([
    ['a long above 2^53', '{"n":9223372036854775807}'],
    ['a repeated key', '{"a":1,"a":2}'],
    ['escaped unicode', '{"s":"\\u00e9\\ud83d\\ude00\\"\\\\"}'],
    ['white space', '{ "a" : [ 1 ,\n 2 ] }'],
    ['an empty document', '{}'],
    ['brackets inside strings', '{"a":"}]{[","b":{"c":["]"]}}'],
  ])('keeps %s byte for byte', (_, source) => {
    expect(cutSearchPage(response([hit(source)])).hits[0]!.source.toString()).toBe(source)
  })

  test('of any documents gives each its own bytes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.dictionary(fc.string(), fc.jsonValue()))),
        (documents) => {
          const page = cutSearchPage(
            response(documents.map(([id, source]) => hit(JSON.stringify(source), JSON.stringify(id)))),
          )
          expect(page.hits.map(({ id, source }) => [id, source.toString()])).toEqual(
            documents.map(([id, source]) => [JSON.parse(JSON.stringify(id)), JSON.stringify(source)]),
          )
          for (const { id, idBytes } of page.hits) expect(idBytes).toEqual(Buffer.from(id))
        },
      ),
    )
  })

  test('of more rows than it seemed to hold has all of them, each at its row', () => {
    const short = '{"_index":"i","_id":"a","_seq_no":7,"_primary_term":2,"_source":{}}'
    const { hits } = cut(response(new Array(1_000).fill(short)), everything)
    expect(hits.length).toBe(1_000)
    expect(hits.at(999)).toMatchObject({ index: 'i', id: 'a', seqNo: 7, primaryTerm: 2, isInScope: true })
    expect(hits.at(-1_000)?.seqNo).toBe(7)
    expect([hits.at(1_000), hits.at(-1_001)]).toEqual([undefined, undefined])
  })

  test('with an id that is no text is refused', () => {
    expect(() => cutSearchPage(response([hit('{}', '7')]))).toThrow(/HIT|search response/)
  })

  test('whose hits look alike, or not, has of each what it has alone', () => {
    const places = fc.record({
      index: fc.constantFrom('i', 'other'),
      id: fc.constantFrom('a', 'b"', 'c\\', 'dé'),
      seqNo: fc.constantFrom(0, 7, 123_456, Number.MAX_SAFE_INTEGER),
      primaryTerm: fc.constantFrom(1, 2),
      source: fc.constantFrom({}, { a: '"sort":[7]}' }, { _id: 'x', b: [{ c: '\\' }] }),
      matched: fc.constantFrom<string[]>([], [SCOPE_QUERY], ['theirs']),
      isOrdered: fc.constantFrom(true, true, false),
      space: fc.constantFrom('', '', ' '),
    })
    const toJson = ({ index, id, seqNo, primaryTerm, source, matched, isOrdered, space }: Place) => {
      const numbers = `"_seq_no":${seqNo},${space}"_primary_term":${primaryTerm}`
      const body = `"_source":${JSON.stringify(source)}`
      const [first, second] = isOrdered ? [numbers, body] : [body, numbers]
      const scope = matched.length === 0 ? '' : `,"matched_queries":${JSON.stringify(matched)}`
      return `{"_index":"${index}","_id":${JSON.stringify(id)},${first},${second},"sort":[${seqNo}]${scope}}`
    }
    type Place = typeof places extends fc.Arbitrary<infer One> ? One : never
    const asked = { scope: true, source: true }
    fc.assert(
      fc.property(fc.array(places, { maxLength: 12 }), (all) => {
        const { hits } = cutSearchPage(response(all.map(toJson)), asked)
        const alone = all.map((one) => cutSearchPage(response([toJson(one)]), asked).hits[0]!)
        expect(hits.map(parts)).toEqual(alone.map(parts))
        expect(alone.map(parts)).toEqual(
          all.map(({ index, id, seqNo, primaryTerm, source, matched }) => ({
            ...{ index, id, seqNo, primaryTerm, source: JSON.stringify(source) },
            isInScope: matched.includes(SCOPE_QUERY),
          })),
        )
      }),
    )
  })

  test('that is cut off anywhere is refused, never read as fewer hits', () => {
    const whole = response([hit('{"a":"x"}'), hit('{"b":[1,{"c":2}]}')])
    for (let end = 0; end < whole.length; end++)
      expect(() => cutSearchPage(whole.subarray(0, end))).toThrow(/HIT|search response/)
  })

  test('tells which documents are in scope: those that match the query of that name, whatever else they match', () => {
    const matched = (...names: string[]) =>
      hit('{}').replace('"sort"', `"matched_queries":${JSON.stringify(names)},"sort"`)
    const page = response([
      hit('{}'),
      matched(SCOPE_QUERY),
      matched('theirs'),
      matched('theirs', SCOPE_QUERY),
    ])
    const inScope = (asked: Asked) => cutSearchPage(page, asked).hits.map(({ isInScope }) => isInScope)
    expect(inScope({ scope: true, source: true })).toEqual([false, true, false, true])
    expect(inScope({ scope: false, source: true })).toEqual([true, true, true, true])
  })

  test('without the documents is refused, unless they were not asked for', () => {
    const bare = response([hit('{}').replace('"_source":{},', '')])
    expect(() => cutSearchPage(bare)).toThrow(/without _source/)
    expect(cutSearchPage(bare, { scope: false, source: false }).hits[0]!.source).toHaveLength(0)
  })

  test('without sequence numbers says that the index cannot be captured', () => {
    const disabled = hit('{}').replace('"_seq_no":7', '"_seq_no":-2')
    expect(() => cutSearchPage(response([disabled]))).toThrow(/without sequence numbers/)
  })
})
