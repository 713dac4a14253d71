import { expect, test } from 'vitest'
import { FactWindow } from './fact-window.ts'
import {
  ago,
  BOOK,
  capture,
  facts,
  fault,
  findings,
  instance,
  NOW_MS,
  shard,
  withInstances,
} from './facts.kit.ts'
import { judge } from './judge.ts'

const late = shard({ checkpoint: 1_302, behind: 1_203, behindSeconds: 75 })

test('what Elasticsearch has and no cursor has passed is told, with what the pollers say of it', () => {
  const instances = withInstances(instance('poller-1', { metrics: { 'freshet.poller.behind': 0 } }))
  expect(findings(facts({ capture: capture(shard({ shard: 1 }), late), instances }))).toMatchObject([
    {
      id: 'capture-behind',
      kind: 'capture-behind',
      title: 'the capture of flights is 75 s behind',
      details: {
        Behind: '75 s, 1,203 operations',
        Shards: '1 of 2: flights/0 at 99 of 1302',
        Pollers: '1; they say 0 behind',
      },
      measure: { value: 75, unit: 's', threshold: 60 },
    },
  ])
})

test('a capture that is a little behind, as every busy one is, is well', () => {
  expect(findings(facts({ capture: capture(shard({ behind: 5_000, behindSeconds: 12 })) }))).toEqual([])
})

test('without a poller that is what is told first', () => {
  const instances = withInstances(instance('poller-1', { status: 'stopping' }))
  expect(findings(facts({ capture: capture(late), instances }))).toMatchObject([
    {
      title: 'the capture of flights is 75 s behind, and no poller runs',
      advice: { firstLook: expect.stringContaining('start a poller') },
    },
  ])
})

test('a shard that nobody has begun is behind, unless its poller refuses the index and says why', () => {
  const unbegun = shard({ cursorSeqNo: null, epoch: null, behind: 100, behindSeconds: 90 })
  expect(findings(facts({ capture: capture(unbegun) }))).toMatchObject([
    { details: { 'Not begun': '1 shard' } },
  ])
  const instances = withInstances(instance('poller-1', { metrics: { 'freshet.poller.refused': 1 } }))
  expect(findings(facts({ capture: capture(unbegun), instances }))).toEqual([])
})

test('while Elasticsearch is away, what was seen last stays found and follows from that', () => {
  const away = { ...capture(late), fault: fault('ELASTICSEARCH_UNREACHABLE: gone') }
  expect(findings(facts({ capture: away }))).toMatchObject([
    { id: 'unreachable/elasticsearch' },
    { id: 'capture-behind', causedBy: 'unreachable/elasticsearch' },
  ])
})

test('a shard without a primary is told when it lasts, and not for a failover', () => {
  const lost = {
    instances: withInstances(instance('poller-1', { metrics: { 'freshet.poller.unreadable': 1 } })),
  }
  const before = { instances: lost.instances.map((one) => ({ ...one, heardAtMs: 0 })) }
  expect(findings(facts(lost), [ago(70, before), ago(30, before)])).toMatchObject([
    { id: 'capture-behind/unreadable' },
  ])
  expect(findings(facts(lost), [ago(70), ago(30)])).toEqual([])
  expect(findings(facts(lost))).toEqual([]) // at the very first look nobody knows for how long
})

test.each([
  { threshold: 900, everySeconds: 10, toldAfterSeconds: 240 }, // as for a bulk load
  { threshold: 60, everySeconds: 5, toldAfterSeconds: 60 },
  { threshold: 60, everySeconds: 600, toldAfterSeconds: 600 },
])(
  'a shard without a primary is told within minutes, with a threshold of $threshold s and looks every $everySeconds s',
  (row) => {
    const rule = { ...BOOK['capture-behind'], threshold: row.threshold }
    const window = new FactWindow()
    const toldSeconds = Array.from({ length: 200 }, (_, look) => look * row.everySeconds).find((seconds) => {
      const nowMs = NOW_MS + seconds * 1_000
      const instances = [instance('poller-1', { nowMs, metrics: { 'freshet.poller.unreadable': 1 } })]
      const now = facts({ atMs: nowMs, instances })
      const { findings } = judge(now, window.push(now), { ...BOOK, 'capture-behind': rule })
      return findings.some(({ id }) => id === 'capture-behind/unreadable')
    })
    expect(toldSeconds).toBe(row.toldAfterSeconds)
  },
)
