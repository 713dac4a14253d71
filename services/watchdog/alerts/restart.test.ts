/** What a watchdog that begins anew cannot know yet is no good news: people are told of each trouble once. */
import type { GlobalCheckpoint } from '@freshet/adapters/elasticsearch/global-checkpoints.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import type { Facts } from '@freshet/records/facts.ts'
import { expect, test } from 'vitest'
import { CaptureLook } from '../look/capture-look.ts'
import { Standing } from '../look/standing.ts'
import { FactWindow } from '../rules/fact-window.ts'
import { BOOK, facts, group, instance, partition } from '../rules/facts.kit.ts'
import { judge } from '../rules/judge.ts'
import { AlertBook } from './alert-book.ts'
import { LOOK_MS, START_MS, timing } from './story.kit.ts'

/** By look. */
const [BAD_FROM, BAD_UNTIL, LOOKS] = [10, 60, 80]

interface Work {
  readonly end: number
  readonly captured: number
  readonly scored: number
}

/** How far all is, at each look. */
type Story = (look: number) => Work

const well = (look: number): Work => ({ end: look * 10, captured: look * 10, scored: look * 10 })
const whileBad =
  (worse: (look: number) => Partial<Work>): Story =>
  (look) =>
    look < BAD_FROM || look >= BAD_UNTIL ? well(look) : { ...well(look), ...worse(look) }

const STORIES: readonly (readonly [string, Story, id: string])[] = [
  ['the capture stands', whileBad(() => ({ captured: BAD_FROM * 10 })), 'stall/capture'],
  [
    'the capture is too slow',
    whileBad((look) => ({ captured: BAD_FROM * 10 + (look - BAD_FROM) * 2 })),
    'capture-behind',
  ],
  ['a group stands', whileBad(() => ({ scored: BAD_FROM * 10 })), 'stall/air-infer'],
  ['a worker fails', (look) => well(look), 'failing/scorer'],
]

/** What one life of a watchdog sees: what it saw before it died is not known to the next. */
class Eyes {
  readonly window = new FactWindow()
  readonly #captured = new CaptureLook()
  readonly #standing = new Standing()
  #looks = 0

  see({ end, captured, scored }: Work, nowMs: number, failing: boolean): Facts {
    const isFirst = this.#looks++ === 0
    const checkpoint: GlobalCheckpoint = { index: 'flights', indexUuid: 'u', shard: 0, checkpoint: end }
    const cursor = { seqNo: captured, epoch: 5, identity: { primaryTerm: 1 } } as unknown as Cursor
    const shards = isFirst
      ? new CaptureLook().see([checkpoint], new Map(), nowMs)
      : this.#captured.see([checkpoint], new Map([['u/0', cursor]]), nowMs)
    const stood = this.#standing.see('infer', { position: scored, hasWork: end > scored }, nowMs)
    this.#standing.lookEnds()
    const at = partition({ committedOffset: scored, endOffset: end, lagRecords: end - scored, ...stood })
    const error = { worker: 'infer', error: 'BUG: no', atMs: nowMs }
    const heard = ['poller-1', 'scorer-1', 'gateway-1', 'watchdog-1'].map((name) =>
      instance(name, {
        nowMs,
        ...(failing && name === 'scorer-1' && { status: 'failing', failing: [error] }),
      }),
    )
    return facts({
      atMs: nowMs,
      groups: [group('infer', { partitions: [at] })],
      instances: isFirst ? [] : heard,
      ...(isFirst && { unheard: true }),
      capture: { seenAtMs: nowMs, value: { shards, unreadCursors: 0, unreadSeconds: 0 }, fault: null },
      snapshot: { seenAtMs: nowMs, value: null, fault: null },
    })
  }
}

/** @param kills before these looks it begins anew, with what is written down */
function told(story: Story, id: string, kills: ReadonlySet<number> = new Set()): string[] {
  const messages: string[] = []
  let eyes = new Eyes()
  let book = new AlertBook(() => {})
  for (let look = 0; look < LOOKS; look++) {
    const nowMs = START_MS + look * LOOK_MS
    if (kills.has(look)) {
      const written = book.state()
      eyes = new Eyes()
      book = new AlertBook(() => {})
      book.restore(written)
    }
    const isFailing = id === 'failing/scorer' && look >= BAD_FROM && look < BAD_UNTIL
    const now = eyes.see(story(look), nowMs, isFailing)
    const judgement = judge(now, eyes.window.push(now), BOOK)
    book.judge(judgement, timing, { nowMs, repeatMs: 3_600_000, silencedBy: () => null })
    for (let next = book.nextUntold(); next !== undefined; next = book.nextUntold()) {
      book.told(next)
      messages.push(`${next.change} ${next.alerts.map(({ finding }) => finding.id).join()}`)
    }
  }
  return messages
}

test.each(STORIES)('%s: told once, whenever the watchdog dies', (_, story, id) => {
  const once = [`firing ${id}`, `resolved ${id}`]
  expect(told(story, id)).toEqual(once)
  for (let at = 0; at < LOOKS; at++) expect([at, ...told(story, id, new Set([at]))]).toEqual([at, ...once])
})

test.each(STORIES)('%s: told once, however often it dies after that', (_, story, id) => {
  const every = (looks: number) =>
    Array.from({ length: LOOKS }, (_, at) => at).filter((at) => at >= 40 && at % looks === 0)
  for (const looks of [1, 2, 3, 5]) expect(told(story, id, new Set(every(looks)))[0]).toBe(`firing ${id}`)
  expect(told(story, id, new Set(every(7)))).toEqual([`firing ${id}`, `resolved ${id}`])
})
