import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { type SampledPair, type ShadowReport, shadowReportKey } from '@freshet/records/shadow-report.ts'
import { describe, expect, test } from 'vitest'
import { mergeReports } from './merge-reports.ts'
import { addToShadowReport, readShadowReport } from './stored-report.ts'
import { ranks, summarize } from './summarize.ts'

function report(changes: Partial<ShadowReport> = {}, pairs: readonly [number, number][] = []): ShadowReport {
  return {
    version: 1,
    shadow: 'delay@2',
    current: 'delay@1',
    sinceMs: 1,
    instances: ['a'],
    fromMs: 10,
    toMs: 20,
    rows: pairs.length,
    skippedRows: 0,
    failedRows: {},
    scoringMs: 0,
    outputs: [
      {
        name: 'score',
        pairs: pairs.length,
        sumCurrent: pairs.reduce((sum, [current]) => sum + current, 0),
        sumShadow: pairs.reduce((sum, [, shadow]) => sum + shadow, 0),
        sumAbsoluteDifference: pairs.reduce((sum, [current, shadow]) => sum + Math.abs(shadow - current), 0),
        sample: pairs.map(([current, shadow], i): SampledPair => [i / 100, current, shadow]),
      },
    ],
    ...changes,
  }
}

const outputOf = (pairs: readonly [number, number][]) => summarize(report({}, pairs)).outputs[0]!

describe('a merged report', () => {
  test('adds up what the instances saw', () => {
    const a = report({ failedRows: { FIELD_TYPE: 1 }, skippedRows: 2, scoringMs: 3, rows: 4 }, [[1, 2]])
    const b = report(
      { instances: ['b'], fromMs: 5, failedRows: { FIELD_TYPE: 2, FIELD_MISSING: 1 }, rows: 6 },
      [
        [3, 3],
        [5, 4],
      ],
    )
    const merged = mergeReports([a, b])!
    expect(merged).toMatchObject({
      instances: ['a', 'b'],
      fromMs: 5,
      toMs: 20,
      rows: 10,
      skippedRows: 2,
      failedRows: { FIELD_TYPE: 3, FIELD_MISSING: 1 },
      scoringMs: 3,
      outputs: [{ pairs: 3, sumCurrent: 9, sumShadow: 9, sumAbsoluteDifference: 2 }],
    })
    expect(merged.outputs[0]!.sample.length).toBe(3)
  })

  test('leaves out an earlier comparison, and one with another promoted model', () => {
    const earlier = report({ sinceMs: 0, toMs: 99, instances: ['earlier'] })
    const before = report({ current: 'delay@0', toMs: 19, instances: ['before'] })
    expect(mergeReports([earlier, before, report()])!.instances).toEqual(['a'])
    expect(mergeReports([])).toBeNull()
  })
})

describe('a stored report', () => {
  test('is one object, to which scorers add at the same time, and processes that come and go', async () => {
    const store = new MemoryObjectStore()
    expect(await readShadowReport(store, 'delay@2')).toBeNull()
    const instances = Array.from({ length: 30 }, (_, i) => `scorer-${i}`)
    const add = (instance: string) =>
      addToShadowReport(store, report({ instances: [instance], rows: 2 }, [[1, 2]]))
    for (const instance of instances.slice(5)) await add(instance)
    await Promise.all(instances.slice(0, 5).map(add))
    const stored = (await readShadowReport(store, 'delay@2'))!
    expect(stored).toMatchObject({ rows: 60, outputs: [{ pairs: 30, sumCurrent: 30, sumShadow: 60 }] })
    expect(stored.instances).toHaveLength(20)
    expect((await store.list('')).map(({ key }) => key)).toEqual([shadowReportKey('delay@2')])
  })

  test('begins anew with another comparison, and what comes late of the last one is left out', async () => {
    const store = new MemoryObjectStore()
    await addToShadowReport(store, report({ rows: 1 }))
    await addToShadowReport(store, report({ rows: 2, sinceMs: 2, toMs: 30 }))
    await addToShadowReport(store, report({ rows: 4 }))
    expect(await readShadowReport(store, 'delay@2')).toMatchObject({ rows: 2, sinceMs: 2 })
  })
})

describe('a summary', () => {
  test('tells means, and the quantiles of the difference', () => {
    const pairs = Array.from({ length: 100 }, (_, i): [number, number] => [i, i + (i < 50 ? -1 : 3)])
    expect(outputOf(pairs)).toMatchObject({
      pairs: 100,
      meanCurrent: 49.5,
      meanShadow: 50.5,
      meanAbsoluteDifference: 2,
      differenceQuantiles: [-1, -1, 3, 3, 3],
    })
  })

  test.each<[string, [number, number][], number | null]>([
    [
      'is 1 where the order is the same, whatever the scale',
      [
        [1, 10],
        [2, 1_000],
        [3, 1_001],
      ],
      1,
    ],
    [
      'is -1 where it is reversed',
      [
        [1, 3],
        [2, 2],
        [3, -5],
      ],
      -1,
    ],
    [
      'is the textbook’s with ties',
      [
        [1, 1],
        [1, 2],
        [2, 2],
        [3, 3],
      ],
      0.8333333333333334,
    ],
    [
      'is unknown where one model always says the same',
      [
        [1, 1],
        [2, 1],
      ],
      null,
    ],
    ['is unknown without rows', [], null],
  ])('the rank correlation %s', (_, pairs, expected) => {
    const { rankCorrelation } = outputOf(pairs)
    if (expected === null) expect(rankCorrelation).toBeNull()
    else expect(rankCorrelation).toBeCloseTo(expected, 12)
  })

  test('tells the share without a score, and the time of a row', () => {
    const seen = report({ rows: 200, failedRows: { FIELD_TYPE: 3, FIELD_MISSING: 7 }, scoringMs: 4 })
    expect(summarize(seen)).toMatchObject({ failedShare: 0.05, microsecondsPerRow: 20 })
    expect(summarize(report())).toMatchObject({ failedShare: 0, microsecondsPerRow: null })
    expect(outputOf([])).toMatchObject({ meanCurrent: null, differenceQuantiles: null })
  })
})

test('equal values share their rank', () => {
  expect(ranks([5, 1, 5, 0])).toEqual([2.5, 1, 2.5, 0])
})
