import { handClock } from '@freshet/stage/clock.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import { Term } from './term.ts'

const SESSION_TIMEOUT_MS = 10_000
const rebalance = new kafkajs.KafkaJSProtocolError(
  Object.assign(new Error('rebalancing'), { type: 'REBALANCE_IN_PROGRESS', code: 27, retriable: false }),
)

function begin() {
  const commits: [number, number][][] = []
  const ended: (readonly number[])[] = []
  const fails = { heartbeat: undefined as unknown, commit: undefined as unknown }
  const clock = handClock()
  const term = new Term([0, 1], async () => {}, {
    clock,
    log: quietLog,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    onEnd: (partitions) => void ended.push(partitions),
  })
  term.speakThrough({
    heartbeat: async () => {
      if (fails.heartbeat) throw fails.heartbeat
    },
    commit: async (offsets) => {
      if (fails.commit) throw fails.commit
      commits.push([...offsets].map(([partition, { nextOffset }]) => [partition, nextOffset]))
    },
  })
  return { term, commits, ended, fails, clock }
}

const stale = expect.objectContaining({ code: 'KAFKA_STALE' })
const thrownBy = (work: () => void) => {
  try {
    work()
  } catch (error) {
    return error
  }
}

test('what is finished is committed once, the last of each partition', async () => {
  const { term, commits } = begin()
  term.finish(0, { nextOffset: 5, note: '' })
  term.finish(0, { nextOffset: 9, note: '' })
  term.finish(1, { nextOffset: 2, note: '' })
  await term.flush()
  await term.flush()
  expect(commits).toEqual([
    [
      [0, 9],
      [1, 2],
    ],
  ])
})

test('a commit that did not get through is made with the next one', async () => {
  const { term, commits, fails } = begin()
  term.finish(0, { nextOffset: 5, note: '' })
  fails.commit = new kafkajs.KafkaJSConnectionError('closed', { broker: 'b:1' })
  await term.flush()
  fails.commit = undefined
  term.finish(1, { nextOffset: 7, note: '' })
  await term.flush()
  expect(commits).toEqual([
    [
      [0, 5],
      [1, 7],
    ],
  ])
  term.check()
})

test('a rebalance ends the term: the last commits are made, then nothing is written any more', async () => {
  const { term, commits, ended, fails } = begin()
  term.finish(0, { nextOffset: 5, note: '' })
  fails.heartbeat = rebalance
  await term.beat()
  expect(term.signal.aborted).toBe(true)
  expect(ended).toEqual([[0, 1]])
  await expect(term.throwReason()).rejects.toBe(rebalance)
  expect(commits).toEqual([[[0, 5]]])
  expect(thrownBy(() => term.check())).toEqual(stale)
  term.finish(0, { nextOffset: 9, note: '' })
  await term.flush()
  expect(commits.length).toBe(1)
})

test('a commit that the group refuses ends the term too', async () => {
  const { term, fails } = begin()
  term.finish(0, { nextOffset: 5, note: '' })
  fails.commit = rebalance
  await term.flush()
  expect(thrownBy(() => term.check())).toEqual(stale)
})

test('a process that slept longer than its session writes nothing before the group has confirmed it again', () => {
  const { term, clock } = begin()
  clock.atMs = SESSION_TIMEOUT_MS
  term.check()
  clock.atMs = SESSION_TIMEOUT_MS + 1
  expect(thrownBy(() => term.check())).toEqual(stale)
  term.confirmed()
  term.check()
})
