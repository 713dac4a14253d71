import { Metrics } from '@freshet/telemetry/metrics.ts'
import { expect, test } from 'vitest'
import { describeOnce, figuresOf, type OnceSummary } from './summary.ts'

const failed: OnceSummary = {
  ...{ pipeline: 'air', outcome: 'failed', startedAtMs: 0, endedAtMs: 1_500, model: 'delay@1' },
  error: { code: 'DEADLINE', message: 'a shard\u001b[2J\r\nof air' },
  notes: ['b\u001b[31m is closed'],
  ...figuresOf(new Metrics()),
}

test('a run is told with why it failed, and what comes from elsewhere steers no terminal', () => {
  const lines = describeOnce(failed).split('\n')
  expect(lines[0]).toBe('air: failed, DEADLINE: a shard [2J  of air')
  expect(lines.slice(-3)).toEqual(['  note: b [31m is closed', '  1.5 s', ''])
})
