import { setImmediate as nextTurn } from 'node:timers/promises'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import { expect, test } from 'vitest'
import { stored } from '../app.kit.ts'
import { type Said, unheard } from '../ladder/said.ts'
import type { Outcome } from '../ladder/stored-score-to-answer.ts'
import { ManyLookups } from './many-lookups.ts'

const soon = () => ({ acceptedAtMs: performance.now(), endsAtMs: performance.now() + 10_000 })
const has = (key: string, seqNo = 1): Said & { kind: 'has' } => ({
  kind: 'has',
  score: { ...stored, key, rank: { ...stored.rank, revision: { ...stored.rank.revision, seqNo } } },
})
const rules = { default: null, cacheKeepsAll: true }

async function lookUp(keys: readonly string[], many: ManyLookups): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  await many.lookUp(keys, soon(), (outcome, at) => {
    outcomes[at] = outcome
  })
  return outcomes
}

test('of each key the higher rank speaks', async () => {
  const cache = { ask: async (keys: readonly string[]) => (at: number) => has(keys[at]!, at) }
  const snapshot = { ready: true, get: (key: string): StoredScore => has(key, 1).score }
  const outcomes = await lookUp(['a', 'b', 'c'], new ManyLookups(cache, snapshot, rules))
  expect(outcomes).toMatchObject([
    { answer: { key: 'a', source: 'snapshot', reason: 'cache_behind' } },
    { answer: { key: 'b', source: 'cache' } },
    { answer: { key: 'c', source: 'cache' } },
  ])
})

test('where memory does not hold the whole snapshot, S3 is asked for what the cache has nothing of, some at a time', async () => {
  const keys = Array.from({ length: 300 }, (_, i) => `key-${i}`)
  const cache = {
    ask: async () => (at: number) =>
      at % 3 === 0 ? has(keys[at]!) : at % 3 === 1 ? unheard('cache_late') : NOTHING,
  }
  const world = { reading: 0, most: 0, asked: [] as string[] }
  const snapshot = {
    ready: true,
    get: () => undefined,
    async ask(key: string): Promise<Said> {
      world.asked.push(key)
      world.most = Math.max(world.most, ++world.reading)
      await nextTurn()
      world.reading--
      return has(key)
    },
  }
  const outcomes = await lookUp(keys, new ManyLookups(cache, snapshot, rules))
  expect(outcomes.map((outcome) => outcome.kind === 'answer' && outcome.answer.key)).toEqual(keys)
  expect(world.asked).toEqual(keys.filter((_, at) => at % 3 !== 0))
  expect(world.most).toBe(64)
})

test('stores are asked only for as long as leaves time to write all the answers', async () => {
  const ends: number[] = []
  const deadline = soon()
  const cache = {
    async ask(_: readonly string[], { endsAtMs }: { endsAtMs: number }) {
      ends.push(endsAtMs)
      return () => NOTHING
    },
  }
  const snapshot = {
    ready: true,
    get: () => undefined,
    async ask(_: string, { endsAtMs }: { endsAtMs: number }): Promise<Said> {
      ends.push(endsAtMs)
      return NOTHING
    },
  }
  const keys = Array.from({ length: 1_000 }, (_, i) => `key-${i}`)
  await new ManyLookups(cache, snapshot, rules).lookUp(keys, deadline, () => undefined)
  expect(ends).toHaveLength(1_001)
  for (const endsAtMs of ends) expect(deadline.endsAtMs - endsAtMs).toBeCloseTo(10, 6)
})

test('others have the loop while many answers are made', async () => {
  let turns = 0
  let ended = false
  const count = () => {
    turns++
    if (!ended) setImmediate(count)
  }
  setImmediate(count)
  const busy = (key: string): StoredScore => {
    const untilMs = performance.now() + 0.1
    while (performance.now() < untilMs);
    return has(key).score
  }
  const cache = { ask: async () => () => NOTHING }
  const keys = Array.from({ length: 500 }, (_, i) => `key-${i}`)
  await lookUp(keys, new ManyLookups(cache, { ready: true, get: busy }, rules))
  ended = true
  expect(turns).toBeGreaterThan(10)
})

const NOTHING: Said = { kind: 'has nothing' }
