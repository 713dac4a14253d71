import { expect, test } from 'vitest'
import { describeReplay, isClean, type ReplayedLetter, type ReplayReport } from './replay-report.ts'

const judged: ReplayedLetter = {
  code: 'FIELD_MISSING',
  key: 'air/a',
  reason: 'no distance',
  fate: 'judged',
}
const replayed: ReplayedLetter = {
  code: 'DOCUMENT_TOO_LARGE',
  key: 'air/b',
  reason: 'too many',
  fate: 'replayed',
}

function reportOf(letters: readonly ReplayedLetter[], more: Partial<ReplayReport> = {}): ReplayReport {
  return { pipeline: 'air', isDryRun: false, letters, leftOut: 0, unreadable: 0, ...more }
}

test('what was replayed is counted, what stays is named, with what to do next', () => {
  const lines = describeReplay(reportOf([judged, judged, replayed]), 1).split('\n')
  expect(lines.slice(0, 5)).toEqual([
    '                      letters  replayed  judged',
    '  FIELD_MISSING             2         0       2',
    '  DOCUMENT_TOO_LARGE        1         1       0',
    '  judged  air/a  FIELD_MISSING: no distance',
    '  and 1 more (--limit, --json)',
  ])
  expect(lines.slice(5).join('\n')).toContain('freshet model promote --again')
})

test('a dry run names what would be replayed too', () => {
  const text = describeReplay(reportOf([replayed], { isDryRun: true }), 20)
  expect(text).toContain('  replayed  air/b  DOCUMENT_TOO_LARGE: too many\n')
  expect(text).toContain('next: without --dry-run they are replayed')
})

test('a key or a reason from elsewhere steers no terminal', () => {
  const evil = { ...judged, key: 'air/\u001b[2J', reason: 'a\r\nb' }
  expect(describeReplay(reportOf([evil]), 20)).toContain('  judged  air/ [2J  FIELD_MISSING: a  b\n')
})

test('only when nothing stays, and nothing was left out, all is well', () => {
  expect(isClean(reportOf([]))).toBe(true)
  expect(isClean(reportOf([replayed, { ...judged, fate: 'superseded' }]))).toBe(true)
  expect(isClean(reportOf([judged]))).toBe(false)
  expect(isClean(reportOf([{ ...judged, fate: 'waiting' }]))).toBe(false)
  expect(isClean(reportOf([replayed], { leftOut: 1 }))).toBe(false)
})

test('where nothing is dead, it says so', () => {
  expect(describeReplay(reportOf([]), 20)).toBe('no dead letters\n')
})
