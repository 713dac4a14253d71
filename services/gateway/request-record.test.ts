import { Metrics } from '@freshet/telemetry/metrics.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { expect, test } from 'vitest'
import { stored } from './app.kit.ts'
import { Tally } from './many/tally.ts'
import { RequestRecord } from './request-record.ts'
import type { Ended } from './traces/request-span.ts'

test('a late request for many is late with each of its answers, as it is counted for each', () => {
  const metrics = new Metrics()
  const record = new RequestRecord(quietTelemetry({ metrics }), {
    ...{ share: 0, spansPerSecond: 0, linesPerSecond: 0, random: () => 0.5, onEnded() {} },
  })
  const ended = (answered: Ended['answered'], endsAtMs: number) =>
    record.keep(
      {
        ...{ answered, route: '/v1/scores:lookup', request: { method: 'POST' } },
        deadline: { acceptedAtMs: performance.now() - 100, endsAtMs },
      } as unknown as Ended,
      200,
    )
  const many = new Tally(3)
  many.bySource.cache = 2
  many.bySource.default = 1
  ended(many, performance.now() - 1)
  ended(many, performance.now() + 60_000)
  ended(
    { ...stored, source: 'cache', degraded: false } as unknown as Ended['answered'],
    performance.now() - 1,
  )
  ended(undefined, performance.now() - 1)
  expect(metrics.values()).toMatchObject({
    'freshet.answers.cache': 5,
    'freshet.answers.default': 2,
    'freshet.answers.late': 4,
  })
})
