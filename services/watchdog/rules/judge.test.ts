import { ALERT_RULES, RULE_NAMES } from '@freshet/config/alert-rules.ts'
import { FINDING_KINDS } from '@freshet/records/alert-state.ts'
import { type Facts, factsRecord } from '@freshet/records/facts.ts'
import { expect, test } from 'vitest'
import { FactWindow } from './fact-window.ts'
import { ago, BOOK, facts, findings, group, instance, partition, withInstances } from './facts.kit.ts'
import { judge, RULES } from './judge.ts'

const late = { groups: [group('infer', { partitions: [partition({ lagSeconds: 90, lagRecords: 3 })] })] }

test('nothing is found in a pipeline that is well', () => {
  expect(judge(facts(), [ago(60), ago(30)], BOOK)).toEqual({
    findings: [],
    blind: false,
    notKnown: new Set(),
  })
})

test('each rule of the table judges, each kind of finding has a rule', () => {
  expect(RULES.map(({ name }) => name).toSorted()).toEqual(RULE_NAMES.toSorted())
  expect([...FINDING_KINDS].toSorted()).toEqual(Object.keys(ALERT_RULES).toSorted())
})

test('threshold, duration and severity are those of the settings, and a rule can be put out of force', () => {
  const book = { ...BOOK, lag: { enabled: true, threshold: 85, forSeconds: 7, severity: 'warning' } } as const
  expect(judge(facts(late), [], book).findings).toMatchObject([
    { kind: 'lag', severity: 'warning', forSeconds: 7, measure: { value: 90, threshold: 85 } },
  ])
  expect(judge(facts(late), [], { ...book, lag: { ...book.lag, threshold: 95 } }).findings).toEqual([])
  expect(judge(facts(late), [], { ...book, lag: { ...book.lag, enabled: false } }).findings).toEqual([])
})

test('facts that were recorded are judged as they were when they were seen', () => {
  const seen = facts(late)
  const replayed = factsRecord.decode(factsRecord.encode(seen))
  expect(replayed).toEqual(seen)
  expect(findings(replayed)).toEqual(findings(seen))
})

test('one who judges look after look remembers the last minutes, and no more', () => {
  const window = new FactWindow()
  const judgeNext = (now: Facts) => judge(now, window.push(now), BOOK)
  const at = (second: number, committedOffset: number) =>
    judgeNext(
      facts({
        atMs: second * 1_000,
        groups: [group('infer', { partitions: [partition({ committedOffset })] })],
      }),
    )
  at(1_000, 20)
  expect(at(1_005, 15).findings).toMatchObject([{ id: 'rewind/air-infer' }])
  expect(at(1_200, 15).findings).toMatchObject([{ id: 'rewind/air-infer' }])
  expect(at(1_301, 15).findings).toEqual([])
})

test('of an error that is a page, people and the memory of the watchdog get the beginning', () => {
  const failing = [{ worker: 'cache', error: `REDIS_COLLATION: ${'x'.repeat(100_000)}`, atMs: 1 }]
  const gateway = instance('gateway-1', { status: 'failing', failing })
  const { findings: found } = judge(facts({ instances: withInstances(gateway) }), [], BOOK)
  const { details } = found.find(({ id }) => id === 'failing/gateway')!
  expect(details['Error of cache (REDIS_COLLATION)']).toMatch(/^REDIS_COLLATION: x{500,600}…$/)
})
