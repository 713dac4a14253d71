import { expect, test } from 'vitest'
import { AlertBook } from '../alerts/alert-book.ts'
import { LOOK_MS, START_MS, timing } from '../alerts/story.kit.ts'
import { FactWindow } from './fact-window.ts'
import { ago, BOOK, capture, facts, findings, group, instance, partition, shard } from './facts.kit.ts'
import { judge } from './judge.ts'

const at = (committedOffset: number | null, endOffset = 900) => ({
  groups: [group('infer', { partitions: [partition({ committedOffset, endOffset })] })],
})

test('a committed offset that went back is told until it is where it was', () => {
  const earlier = [ago(60, at(500)), ago(30, at(200))]
  expect(findings(facts(at(300)), earlier)).toMatchObject([
    {
      id: 'rewind/air-infer',
      kind: 'rewind',
      severity: 'warning',
      title: 'the committed offset of air-infer went back by 200',
      details: { Where: 'partition 0', Now: '300', Before: '500' },
    },
  ])
  expect(findings(facts(at(500)), earlier)).toEqual([])
})

test('offsets that are gone went back to the beginning', () => {
  expect(findings(facts(at(null)), [ago(60, at(500))])).toMatchObject([{ measure: { value: 500 } }])
})

test('a topic that ends before where it ended has lost records: that is told, and not of each group', () => {
  expect(findings(facts(at(10, 10)), [ago(60, at(500, 900))])).toMatchObject([
    {
      id: 'rewind/air.changes',
      title: 'the end of air.changes went back by 890',
      advice: { effect: expect.stringContaining('records are lost') },
    },
  ])
})

test('a cursor that went back under the same primary is told; after a failover, or in a new epoch, it may', () => {
  const cursor = (worse: Parameters<typeof shard>[0]) => ({
    capture: capture(shard({ checkpoint: 99, ...worse })),
  })
  const earlier = [ago(60, cursor({ cursorSeqNo: 99 }))]
  expect(findings(facts(cursor({ cursorSeqNo: 40 })), earlier)).toMatchObject([
    { id: 'rewind/capture', details: { Where: 'flights/0', Now: '40', Before: '99' } },
  ])
  expect(findings(facts(cursor({ cursorSeqNo: 40, primaryTerm: 2 })), earlier)).toEqual([])
  expect(findings(facts(cursor({ cursorSeqNo: 40, epoch: 6 })), earlier)).toEqual([])
})

test('a snapshot that went back is told', () => {
  const well = facts().snapshot
  const back = { ...well, value: { ...well.value!, sequence: 3 } }
  expect(findings(facts({ snapshot: back }), [ago(60)])).toMatchObject([
    { id: 'rewind/snapshot', measure: { value: 4 } },
  ])
})

test('what only goes forward is well', () => {
  expect(findings(facts(at(500)), [ago(60, at(300, 800)), ago(30, at(400, 850))])).toEqual([])
})

/** When an offset went back, in seconds; when it is where it was again, if ever; and when a watchdog begins anew. */
interface Story {
  readonly backAgainAt?: number
  readonly diesAt?: number
  readonly forSeconds?: number
}

const WENT_BACK = 103 // between two looks that are remembered anyway

/** @returns when people hear that it is over, in seconds */
function overAt({ backAgainAt = Number.POSITIVE_INFINITY, diesAt, forSeconds }: Story): number | undefined {
  const rewind = { ...BOOK.rewind, ...(forSeconds !== undefined && { forSeconds }) }
  let [window, book, sinceMs] = [new FactWindow(), new AlertBook(() => {}), START_MS]
  for (let seconds = 0; seconds < 1_500; seconds += LOOK_MS / 1_000) {
    const nowMs = START_MS + seconds * 1_000
    if (seconds === diesAt) {
      const written = book.state()
      window = new FactWindow()
      book = new AlertBook(() => {})
      book.restore(written)
      sinceMs = nowMs
    }
    const isBack = seconds >= WENT_BACK && seconds < backAgainAt
    const kafka = { answersSinceMs: sinceMs, fault: null }
    const instances = [instance('watchdog-1', { nowMs })]
    const now = facts({ atMs: nowMs, kafka, instances, ...at(isBack ? 300 : 500) })
    const moment = { nowMs, repeatMs: 3_600_000, silencedBy: () => null }
    const { findings, ...judgement } = judge(now, window.push(now), { ...BOOK, rewind })
    book.judge({ ...judgement, findings: findings.filter(({ kind }) => kind === 'rewind') }, timing, moment)
    for (let next = book.nextUntold(); next !== undefined; next = book.nextUntold()) {
      book.told(next)
      if (next.change === 'resolved') return seconds
    }
  }
  return undefined
}

test('a watchdog that begins anew does not say that it is over before the one that died would have', () => {
  const whole = overAt({})!
  expect(whole).toBeGreaterThanOrEqual(WENT_BACK + 300)
  for (const diesAt of [120, 200, 350]) expect(overAt({ diesAt })).toBeGreaterThanOrEqual(whole)
})

test('one that saw it go back says that it is over when it is, however young it is', () => {
  expect(overAt({ backAgainAt: 150 })).toBeLessThan(150 + 60)
})

test('it says so too of what was back again before the next look that is remembered anyway', () => {
  expect(overAt({ backAgainAt: 107, forSeconds: 0 })).toBeLessThan(107 + 60)
})
