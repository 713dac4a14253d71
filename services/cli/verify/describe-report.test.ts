import { verifyReport as report, shardReport as shard } from '@freshet/reconcile/verify-report.kit.ts'
import { expect, test } from 'vitest'
import { describeReport } from './describe-report.ts'

test('a complete pipeline is told in a line a shard and a sum', () => {
  const shards = [
    shard('flights', 0, { live: 24_012, scored: 24_012 }),
    shard('flights', 1, { live: 23_988, scored: 23_988 }),
  ]
  expect(describeReport(report({ shards })).split('\n')).toEqual([
    '               live  scored  missing  stale  extra',
    '  flights/0  24,012  24,012        0      0      0',
    '  flights/1  23,988  23,988        0      0      0',
    'complete: 48,000 live, 48,000 scored at their current revision by flight-delay@3',
    '',
  ])
})

test('a key or a reason from elsewhere steers no terminal', () => {
  const shards = [shard('flights', 0, { live: 1, missing: 1 })]
  const findings = [{ kind: 'missing', key: 'flights/\u001b[2J', reason: 'a\r\nb' }] as const
  expect(describeReport(report({ shards, findings }))).toContain('  missing  flights/ [2J  a  b\n')
})

test('what is wrong is named, with what to do next', () => {
  const shards = [shard('flights', 0, { live: 10, scored: 5, olderModel: 1, setAside: 1, missing: 3 })]
  const text = describeReport(
    report({
      shards,
      findings: [
        { kind: 'missing', key: 'flights/a' },
        { kind: 'setAside', key: 'flights/b', reason: 'FIELD_MISSING: no distance' },
      ],
    }),
  )
  expect(text.split('\n').slice(1)).toEqual([
    '  flights/0    10       5            1          1        3      0      0',
    '  missing  flights/a',
    '  missing  and 2 more (--limit, --json)',
    '  set aside  flights/b  FIELD_MISSING: no distance',
    'NOT complete: 10 live, 5 scored at their current revision by flight-delay@3, 1 by an older model, 1 set aside, 3 missing; what is set aside or without key does not fail the proof: see air.dead',
    'next: `freshet verify --repair` emits what is wrong again',
    '',
  ])
})

test('scores above the promoted generation fail the proof, with the command that outranks them', () => {
  const shards = [shard('flights', 0, { live: 2, newerModel: 2 })]
  const text = describeReport(report({ shards, newestGeneration: 8 }))
  expect(text).toContain('NOT complete: 2 live, 0 scored')
  expect(text).toContain('2 by a newer generation than the promoted one')
  expect(text).toContain('scores of generation 8, but the promoted model has 4')
  expect(text).toContain('`freshet model promote --again --above 8`')
  expect(describeReport(report({ shards, model: null }))).toContain(
    'no model is promoted: `freshet model promote <name> <version>`',
  )
})

test('a shard that could not be read is never taken for a complete one', () => {
  const text = describeReport(report({ unreadable: ['flights/3'] }))
  expect(text).toContain('flights/3 could not be read, so nothing is proved of it')
  expect(text).toContain('NOT complete')
})

test('while the snapshot lags behind, nobody is sent to repair', () => {
  const shards = [shard('flights', 0, { live: 1, missing: 1 })]
  const text = describeReport(report({ shards, isSettled: false }))
  expect(text).toContain('give it more --wait')
  expect(text).not.toContain('--repair')
})

test('documents without a key have a column and lines of their own, and do not fail the proof', () => {
  const shards = [shard('flights', 0, { live: 3, scored: 1, withoutKey: 2 })]
  const findings = [{ kind: 'withoutKey', key: 'flights/b', reason: 'KEY_MISSING: no k' }] as const
  expect(describeReport(report({ shards, findings })).split('\n')).toEqual([
    '             live  scored  without key  missing  stale  extra',
    '  flights/0     3       1            2        0      0      0',
    '  without key  flights/b  KEY_MISSING: no k',
    '  without key  and 1 more (--limit, --json)',
    expect.stringMatching(
      /^complete: 3 live, 1 scored .*, 2 without key; what is set aside or without key does not fail the proof: see air\.dead$/,
    ),
    '',
  ])
})

test('nobody is sent to repair when it can mend nothing of what was found', () => {
  const findings = [
    { kind: 'missing', key: 'flights/a', reason: 'hidden: set elasticsearch.versionField' },
  ] as const
  const shards = [shard('flights', 0, { live: 1, missing: 1 })]
  const text = describeReport(report({ shards, findings, beyondRepair: 1 }))
  expect(text).not.toContain('--repair')
  expect(text).toContain('  missing  flights/a  hidden: set elasticsearch.versionField\n')
  expect(text).toMatch(/next: emitting again does not mend 1 of these; what does stands beside each\n$/)
})

test('a closed index waits and a gone one has its grace; neither is wrong', () => {
  const text = describeReport(report({ closed: ['old'], gone: ['older'] }))
  expect(text).toContain('old is closed: it waits')
  expect(text).toContain('older is gone: its scores are deleted after')
  expect(text).toContain('complete: 0 live')
})

test('a repair says what it emitted, and what it cannot mend', () => {
  const shards = [shard('flights', 0, { live: 1, missing: 1 })]
  const text = describeReport(report({ shards, repair: { emitted: 2, tombstones: 3 }, beyondRepair: 1 }))
  expect(text).toContain('repair: 2 documents and 3 deletes emitted\n')
  expect(text).toContain('next: emitting again does not mend 1 of these; what does stands beside each')
})
