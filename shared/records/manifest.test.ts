import { expect, test } from 'vitest'
import { golden } from './golden/golden.kit.ts'
import { latestRecord } from './latest-snapshot.ts'
import { type Manifest, manifestRecord } from './manifest.ts'

const manifest: Manifest = {
  version: 1,
  pipeline: 'flights',
  sequence: 12,
  writtenAtMs: 1_900_000_000_000,
  writtenBy: { instance: 'scorer-1', attempt: '0a1b2c3d4e5f' },
  partitions: {
    0: {
      nextOffset: 200,
      writtenAtMs: 1_900_000_000_000,
      base: {
        object: '0/base-0-99-aa11.parquet',
        rows: 90_000,
        bytes: 2_700_000,
        newestAsOfMs: 1_899_999_000_000,
      },
      deltas: [
        {
          object: '0/delta-100-199-0a1b2c3d4e5f.parquet',
          rows: 10,
          bytes: 4_000,
          newestAsOfMs: 1_899_999_900_000,
        },
      ],
      retired: [
        { object: '0/delta-90-99-bb22.parquet', into: '0/base-0-99-aa11.parquet', atMs: 1_899_999_500_000 },
      ],
    },
    7: { nextOffset: 3, base: null, deltas: [], retired: [] }, // as builds before `writtenAtMs` wrote it
  },
}

test('the manifest is, byte for byte, what it was when version 1 was frozen', () => {
  const text = golden('manifest.v1.txt').toString()
  expect(manifestRecord.encode(manifest)).toBe(text)
  expect(manifestRecord.decode(text)).toEqual(manifest)
})

test('latest.json is, byte for byte, what it was when version 1 was frozen', () => {
  const text = golden('latest-snapshot.v1.txt').toString()
  const latest = latestRecord.decode(text)
  expect(latest.files).toHaveLength(2)
  expect(latestRecord.encode(latest)).toBe(text)
})

test.each([
  ['manifest', manifestRecord],
  ['latest snapshot', latestRecord],
])('a %s of a newer build is refused by name', (name, record) => {
  expect(() => record.decode('{"version":2}')).toThrow(
    expect.objectContaining({ code: 'RECORD_VERSION', message: expect.stringContaining(name) }),
  )
})
