import type { Answer } from '@freshet/records/answer.ts'
import type { Reason } from '@freshet/records/reasons.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { expect, test } from 'vitest'
import { Tally } from './many/tally.ts'
import { RequestRecord } from './request-record.ts'
import type { EndedCall } from './traces/request-span.ts'

const GOOD: Answer = {
  ...{ key: 'a', score: 1, source: 'cache', age_ms: 1, as_of: '2026-01-01T00:00:00.000Z', model: 'delay@1' },
  degraded: false,
}

function recordOf(metrics: Metrics): RequestRecord {
  return new RequestRecord(quietTelemetry({ metrics }), {
    ...{ share: 0, spansPerSecond: 0, linesPerSecond: 0, random: () => 0.5, onEnded() {} },
  })
}

function ended(answered: EndedCall['answered'], endsAtMs: number): EndedCall {
  return {
    ...{ answered, route: '/v1/scores:lookup', request: { method: 'POST' } },
    deadline: { acceptedAtMs: performance.now() - 100, endsAtMs },
  } as unknown as EndedCall
}

test('a late request for many is late with each of its answers, as it is counted for each', () => {
  const metrics = new Metrics()
  const record = recordOf(metrics)
  const keep = (answered: EndedCall['answered'], endsAtMs: number) =>
    record.keep(ended(answered, endsAtMs), 200)
  const many = new Tally(3)
  many.bySource.cache = 2
  many.bySource.default = 1
  keep(many, performance.now() - 1)
  keep(many, performance.now() + 60_000)
  keep(GOOD, performance.now() - 1)
  keep(undefined, performance.now() - 1)
  expect(metrics.values()).toMatchObject({
    'freshet.answers.cache': 5,
    'freshet.answers.default': 2,
    'freshet.answers.late': 4,
    'freshet.requests.received': 4,
  })
})

test('a request counts once, however many answers it has, and so does one refused at the door', () => {
  const metrics = new Metrics()
  const record = recordOf(metrics)
  record.keep(ended(new Tally(500), performance.now() + 60_000), 200)
  record.refused({ method: 'GET', tookMs: 0 })
  expect(metrics.values()).toMatchObject({ 'freshet.requests.received': 2, 'freshet.requests.refused': 1 })
})

test('each degraded answer of many counts under its own reason, and a whole that is degraded under its', () => {
  const metrics = new Metrics()
  const record = recordOf(metrics)
  const degraded = (reason: Reason) => ({ ...GOOD, source: 'snapshot', degraded: true, reason }) as const
  const many = new Tally(4)
  for (const answer of [degraded('cache_late'), degraded('overloaded'), GOOD, degraded('cache_late')])
    many.add(answer)
  const whole = new Tally(1)
  whole.add(GOOD)
  whole.because('elasticsearch_partial')
  for (const answered of [many, whole, degraded('deadline')])
    record.keep(ended(answered, performance.now() + 60_000), 200)
  expect(metrics.values()).toMatchObject({
    'freshet.answers.degraded.cache_late': 2,
    'freshet.answers.degraded.overloaded': 1,
    'freshet.answers.degraded.elasticsearch_partial': 1,
    'freshet.answers.degraded.deadline': 1,
  })
})
