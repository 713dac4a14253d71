import { Buffer } from 'node:buffer'
import { faultOfKey, MAX_KEY_BYTES } from '@freshet/records/document-key.ts'
import type { Hit } from '@freshet/records/hit.ts'
import { describe, expect, test } from 'vitest'
import { hitToChange } from './hit-to-change.ts'

const hit: Hit = {
  index: 'flights',
  id: 'UA/15 é',
  seqNo: 7,
  primaryTerm: 2,
  source: Buffer.from('{"n":9223372036854775807,"a":{"b":"k"},"v":3}'),
  isInScope: true,
}
const page = { epoch: 100, capturedAtMs: 5, trace: null }
const revision = { documentVersion: 0, epoch: 100, primaryTerm: 2, seqNo: 7 }
const whole = hitToChange({ key: 'index/id' })

function withSource(source: string): Hit {
  return { ...hit, source: Buffer.from(source) }
}

describe('a hit', () => {
  test('becomes a change of the revision under which its document was written, with its very bytes', () => {
    expect(whole(hit, page)).toEqual({
      key: Buffer.from('flights/UA/15 é'),
      revision,
      capturedAtMs: 5,
      source: hit.source,
      trace: null,
    })
  })

  test.each([
    ['id', 'UA/15 é'],
    [{ field: 'a.b' }, 'k'],
    [{ field: 'n' }, '9223372036854775807'],
  ] as const)('is named by %o', (key, name) => {
    expect(hitToChange({ key })(hit, page)).toMatchObject({ key: Buffer.from(name) })
  })

  test('takes its version from the document, and that stands before the epoch', () => {
    const change = hitToChange({ key: 'id', versionField: 'v' })(hit, page)
    expect(change).toMatchObject({ revision: { ...revision, documentVersion: 3 } })
  })

  test('that is out of scope becomes a delete at its own revision, however large it is', () => {
    const large = { ...hit, source: Buffer.alloc(21 * 1024 * 1024), isInScope: false }
    for (const gone of [{ ...hit, isInScope: false }, large])
      expect(whole(gone, page)).toMatchObject({ key: Buffer.from('flights/UA/15 é'), revision, source: null })
  })

  test('a key that is captured can be asked for, and the longest that can be is captured', () => {
    const key = 'k'.repeat(MAX_KEY_BYTES)
    const keyed = hitToChange({ key: { field: 'a.b' } })(withSource(`{"a":{"b":"${key}"}}`), page)
    expect(keyed).toMatchObject({ key: Buffer.from(key) })
    expect(faultOfKey(key)).toBe(null)
    expect(faultOfKey(`${key}k`)).not.toBe(null)
  })

  test.each([
    ['missing', '{}'],
    ['null', '{"a":{"b":null}}'],
    ['empty', '{"a":{"b":""}}'],
    ['a list', '{"a":{"b":["k"]}}'],
    ['a fraction', '{"a":{"b":1.5}}'],
    ['longer than a name can be', `{"a":{"b":"${'k'.repeat(MAX_KEY_BYTES + 1)}"}}`],
  ])('whose key is %s is set aside under its index and id', (_, source) => {
    const keyless = withSource(source)
    const unusable = hitToChange({ key: { field: 'a.b' } })(keyless, page)
    expect(unusable).toMatchObject({
      code: 'KEY_MISSING',
      hit: keyless,
      change: { key: Buffer.from('flights/UA/15 é'), revision, source: keyless.source },
    })
  })

  test('without a version is set aside under its key', () => {
    const unusable = hitToChange({ key: 'id', versionField: 'w' })(hit, page)
    expect(unusable).toMatchObject({
      code: 'VERSION_MISSING',
      change: { key: Buffer.from('UA/15 é'), revision },
    })
  })

  test.each([
    ['{}', 'no a.b in the document'],
    ['{"a":[{"b":"k"}]}', 'no a.b in the document'],
    ['{"a":{"b":null}}', 'a.b is null, not text of at most 768 bytes or a whole number'],
    ['{"a":{"b":""}}', 'a.b is an empty string, not text of at most 768 bytes or a whole number'],
    [
      `{"a":{"b":"${'k'.repeat(MAX_KEY_BYTES + 1)}"}}`,
      'a.b is a string of 769 bytes, not text of at most 768 bytes or a whole number',
    ],
  ])(
    'whose key is unusable says whether the field is missing or what stands there instead',
    (source, reason) => {
      expect(hitToChange({ key: { field: 'a.b' } })(withSource(source), page)).toMatchObject({ reason })
    },
  )

  test.each([
    ['{"x":1}', 'no v in the document'],
    ['{"v":"3"}', 'v is a string of 1 bytes, not a whole number from 0 to 2^53'],
    ['{"v":[3]}', 'v is a list, not a whole number from 0 to 2^53'],
    ['{"v":true}', 'v is a boolean, not a whole number from 0 to 2^53'],
    ['{"v":{"n":3}}', 'v is an object, not a whole number from 0 to 2^53'],
    ['{"v":-1}', 'v is a number, not a whole number from 0 to 2^53'],
    ['{"v":1.5}', 'v is a number, not a whole number from 0 to 2^53'],
  ])('whose version is unusable says so too: %s', (source, reason) => {
    const unusable = hitToChange({ key: 'id', versionField: 'v' })(withSource(source), page)
    expect(unusable).toMatchObject({ code: 'VERSION_MISSING', reason })
  })

  test('too large for Kafka is set aside', () => {
    const source = Buffer.alloc(20 * 1024 * 1024 - 8_191)
    expect(whole({ ...hit, source }, page)).toMatchObject({
      code: 'DOCUMENT_TOO_LARGE',
      reason: '20963329 bytes are too many for Kafka',
    })
    expect(whole({ ...hit, source: source.subarray(1) }, page)).toMatchObject({
      source: { length: 20_963_328 },
    })
  })

  test('too large is set aside as that even when it has no key either: its bytes fit nowhere', () => {
    const large = { ...hit, source: Buffer.from(`{"x":"${'y'.repeat(2_000_000)}"}`) }
    expect(hitToChange({ key: { field: 'a' } }, 1_000_000)(large, page)).toMatchObject({
      code: 'DOCUMENT_TOO_LARGE',
    })
  })

  test('too large for a topic that takes less is set aside as well', () => {
    const narrow = hitToChange({ key: 'id' }, 1_048_588)
    expect(narrow({ ...hit, source: Buffer.alloc(1_040_397) }, page)).toMatchObject({
      code: 'DOCUMENT_TOO_LARGE',
    })
    expect(narrow({ ...hit, source: Buffer.alloc(1_040_396) }, page)).toMatchObject({
      key: Buffer.from(hit.id),
    })
  })

  test('out of scope without a key says nothing, and is no dead letter: the filter may ask for the key itself', () => {
    const outside = { ...hit, isInScope: false }
    expect(hitToChange({ key: { field: 'x' } })(outside, page)).toBeUndefined()
    expect(hitToChange({ key: 'id', versionField: 'x' })(outside, page)).toBeUndefined()
  })
})
