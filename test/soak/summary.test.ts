import { describe, expect, test } from 'vitest'
import { dollarsOfRequests } from './prices.ts'
import type { Phase, SoakRow } from './row.ts'
import { kindOfRequest } from './s3-kinds.ts'
import { figuresOf } from './summary.ts'

describe('the figures of a soak', () => {
  test('are those of the load and of what drains after it, not of what comes later', () => {
    const figures = figuresOf([
      row('load', { at: 0, creates: 0, cpu: 10, puts: 5 }),
      row('load', { at: 50, creates: 1_000_000, cpu: 110, puts: 105 }),
      row('load', { at: 100, creates: 2_000_000, cpu: 210, puts: 205 }),
      row('drain', { at: 160, creates: 2_000_000, cpu: 230, puts: 225 }),
      row('settle', { at: 900, creates: 2_000_000, cpu: 990, puts: 990 }),
    ])
    expect(figures.changesPerSecond).toBe(20_000)
    expect(figures.processes.scorer!.cpuSecondsPerMillion).toBe(110)
    expect(figures.s3.requestsPerMillion).toEqual({ PutObject: 110 })
  })

  test('a process that grows with the documents is seen, one that warmed up and stands is not', () => {
    const grows = [0, 1, 2, 3, 4, 5, 6, 7].map((millions) =>
      row('load', { at: millions, creates: millions * 1e6, ownMiB: 100 + 20 * millions }),
    )
    const stands = [100, 200, 300, 300, 300, 300, 300, 300].map((ownMiB, millions) =>
      row('load', { at: millions, creates: millions * 1e6, ownMiB }),
    )
    expect(figuresOf(grows).processes.scorer!.ownMiBPerMillion).toBe(20)
    expect(figuresOf(stands).processes.scorer!.ownMiBPerMillion).toBe(0)
  })

  test('percentiles are of all samples of a phase', () => {
    const values = Array.from({ length: 1_000 }, (_, i) => i + 1)
    const { load } = figuresOf([
      row('load', { at: 0, freshnessMs: values.slice(0, 500) }),
      row('load', { at: 10, creates: 10, freshnessMs: values.slice(500) }),
    ]).freshnessMs
    expect(load).toEqual({ samples: 1_000, p50: 500, p99: 990, p999: 999, most: 1_000 })
  })
})

describe('calls to S3 are told apart', () => {
  test.each([
    ['PUT', '/freshet/p/snapshots/0/base.parquet?x-id=PutObject', 'PutObject'],
    ['PUT', '/freshet/p/a?partNumber=1&uploadId=u', 'UploadPart'],
    ['POST', '/freshet/p/a?uploads', 'CreateMultipartUpload'],
    ['POST', '/freshet/p/a?uploadId=u', 'CompleteMultipartUpload'],
    ['DELETE', '/freshet/p/a?uploadId=u', 'AbortMultipartUpload'],
    ['DELETE', '/freshet/p/a', 'DeleteObject'],
    ['GET', '/freshet/p/a?x-id=GetObject', 'GetObject'],
    ['GET', '/freshet?list-type=2&prefix=p%2F', 'ListObjects'],
    ['GET', '/freshet?uploads&prefix=p', 'ListMultipartUploads'],
    ['PATCH', '/freshet/p/a', 'other'],
  ])('%s %s is %s', (method, target, kind) => {
    expect(kindOfRequest(method, target)).toBe(kind)
  })

  test('a put costs more than a get, and a delete nothing', () => {
    expect(dollarsOfRequests({ PutObject: 1_000_000, GetObject: 1_000_000, DeleteObject: 9 })).toBeCloseTo(
      5.4,
    )
  })
})

interface Shape {
  readonly at: number
  readonly creates?: number
  readonly cpu?: number
  readonly ownMiB?: number
  readonly puts?: number
  readonly freshnessMs?: readonly number[]
}

function row(
  phase: Phase,
  { at, creates = 0, cpu = 0, ownMiB = 0, puts = 0, freshnessMs = [] }: Shape,
): SoakRow {
  return {
    ...{ atSeconds: at, phase, loadAverage: 0, written: { creates, updates: 0, deletes: 0 } },
    ...{ changes: 0, scored: 0, tombstones: 0, cached: 0, waitingSeconds: 0, lag: {}, behind: 0 },
    snapshot: { rows: 0, files: 0, gatewayKeys: 0 },
    redis: { bytes: 0, keys: 0 },
    s3: { scorer: { requests: { PutObject: puts }, sentBytes: 0, receivedBytes: 0 } },
    ...{ freshnessMs, neverFresh: 0 },
    processes: { scorer: { cpuSeconds: cpu, rssMiB: ownMiB, ownMiB } },
  }
}
