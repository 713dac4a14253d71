import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { readShadowReport } from '@freshet/model/shadow/stored-report.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { expect, test, vi } from 'vitest'
import { ShadowReports } from './shadow-reports.ts'

const never = new AbortController().signal
const comparison = { shadow: 'delay@2', current: 'delay@1', sinceMs: 1_000, instance: 'scorer-a' }

function reporting() {
  const [store, clock, metrics] = [new MemoryObjectStore(), handClock(10_000), new Metrics()]
  const complaints: string[] = []
  const skipped = { rows: 0 }
  const reports = new ShadowReports({
    store,
    clock,
    metrics,
    takeSkipped() {
      const { rows } = skipped
      skipped.rows = 0
      return rows
    },
    complain: (what) => void complaints.push(what),
  })
  return {
    ...{ store, clock, metrics, complaints, skipped, reports },
    async see(rows: number, current = comparison.current) {
      const book = await reports.bookOf({ ...comparison, current }, ['delay'], never)
      book.scored({ rows, failedRows: {}, tookMs: 1, atMs: clock.nowMs() })
    },
    stored: () => readShadowReport(store, comparison.shadow),
  }
}

test('what is seen is reported once a minute, and added up, with what was skipped', async () => {
  const { reports, clock, skipped, metrics, see, stored } = reporting()
  await see(3)
  await reports.reportWhenDue(never)
  await see(4)
  await reports.reportWhenDue(never)
  expect(await stored()).toMatchObject({ current: 'delay@1', rows: 3 })
  clock.atMs += 60_000
  skipped.rows = 5
  await reports.reportWhenDue(never)
  expect(await stored()).toMatchObject({ rows: 7, skippedRows: 5 })
  expect(metrics.values()['freshet.shadow.skipped']).toBe(5)
})

test('what does not get through is complained of, and reported the next time', async () => {
  const { reports, store, complaints, see, stored } = reporting()
  vi.spyOn(store, 'put').mockRejectedValueOnce(new FreshetError('S3_UNREACHABLE', 'away'))
  await see(3)
  await reports.report(never)
  expect([complaints, await stored()]).toEqual([['the shadow’s report is not written'], null])
  await see(4)
  await reports.report(never)
  expect(await stored()).toMatchObject({ rows: 7 })
})

test('a comparison with another promoted model takes the place of the one before', async () => {
  const { reports, see, stored } = reporting()
  await see(3)
  await see(4, 'delay@9')
  expect(await stored()).toMatchObject({ current: 'delay@1', rows: 3 })
  await reports.report(never)
  expect(await stored()).toMatchObject({ current: 'delay@9', rows: 4 })
})

test('a shadow that is no more is reported no more', async () => {
  const { reports, see, stored } = reporting()
  await see(3)
  reports.forget()
  await reports.report(never)
  expect(await stored()).toBeNull()
})
