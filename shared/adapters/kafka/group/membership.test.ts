import { handClock } from '@freshet/stage/clock.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import { Membership, type TriedCommit } from './membership.ts'

const SESSION_TIMEOUT_MS = 10_000
const COMMIT_MS = 3
const rebalance = new kafkajs.KafkaJSProtocolError(
  Object.assign(new Error('rebalancing'), { type: 'REBALANCE_IN_PROGRESS', code: 27, retriable: false }),
)

function begin() {
  const commits: [number, number][][] = []
  const ended: (readonly number[])[] = []
  const fails = { heartbeat: undefined as unknown, commit: undefined as unknown }
  const clock = handClock()
  const told: TriedCommit[] = []
  const membership = new Membership([0, 1], async () => {}, {
    clock,
    log: quietLog,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    onEnd: (partitions) => void ended.push(partitions),
    onCommit: (commit) => void told.push(commit),
  })
  membership.speakThrough({
    heartbeat: async () => {
      if (fails.heartbeat) throw fails.heartbeat
    },
    commit: async (offsets) => {
      clock.atMs += COMMIT_MS
      if (fails.commit) throw fails.commit
      commits.push([...offsets].map(([partition, { nextOffset }]) => [partition, nextOffset]))
    },
  })
  return { membership, commits, told, ended, fails, clock }
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
  const { membership, commits } = begin()
  membership.finish(0, { nextOffset: 5, note: '' })
  membership.finish(0, { nextOffset: 9, note: '' })
  membership.finish(1, { nextOffset: 2, note: '' })
  await membership.flush()
  await membership.flush()
  expect(commits).toEqual([
    [
      [0, 9],
      [1, 2],
    ],
  ])
})

test('a commit that did not get through is made with the next one', async () => {
  const { membership, commits, fails } = begin()
  membership.finish(0, { nextOffset: 5, note: '' })
  fails.commit = new kafkajs.KafkaJSConnectionError('closed', { broker: 'b:1' })
  await membership.flush()
  fails.commit = undefined
  membership.finish(1, { nextOffset: 7, note: '' })
  await membership.flush()
  expect(commits).toEqual([
    [
      [0, 5],
      [1, 7],
    ],
  ])
  membership.check()
})

test('a rebalance ends the membership: the last commits are made, then nothing is written any more', async () => {
  const { membership, commits, ended, fails } = begin()
  membership.finish(0, { nextOffset: 5, note: '' })
  fails.heartbeat = rebalance
  await membership.beat()
  expect(membership.signal.aborted).toBe(true)
  expect(ended).toEqual([[0, 1]])
  await expect(membership.throwReason()).rejects.toBe(rebalance)
  expect(commits).toEqual([[[0, 5]]])
  expect(thrownBy(() => membership.check())).toEqual(stale)
  membership.finish(0, { nextOffset: 9, note: '' })
  await membership.flush()
  expect(commits.length).toBe(1)
})

test('a commit that the group refuses ends the membership too', async () => {
  const { membership, fails } = begin()
  membership.finish(0, { nextOffset: 5, note: '' })
  fails.commit = rebalance
  await membership.flush()
  expect(thrownBy(() => membership.check())).toEqual(stale)
})

test('a process that slept longer than its session writes nothing before the group has confirmed it again', () => {
  const { membership, clock } = begin()
  clock.atMs = SESSION_TIMEOUT_MS
  membership.check()
  clock.atMs = SESSION_TIMEOUT_MS + 1
  expect(thrownBy(() => membership.check())).toEqual(stale)
  membership.confirmed()
  membership.check()
})

test('each commit that is tried is told, with its time and what became of it', async () => {
  const { membership, told, fails, clock } = begin()
  const atMs = clock.nowMs()
  membership.finish(0, { nextOffset: 5, note: '' })
  fails.commit = new kafkajs.KafkaJSConnectionError('closed', { broker: 'b:1' })
  await membership.flush()
  fails.commit = undefined
  await membership.flush()
  await membership.flush() // nothing is left
  expect(told).toEqual([
    {
      beganAtMs: atMs,
      endedAtMs: atMs + COMMIT_MS,
      error: expect.objectContaining({ code: 'KAFKA_UNREACHABLE' }),
    },
    { beganAtMs: atMs + COMMIT_MS, endedAtMs: atMs + 2 * COMMIT_MS, error: undefined },
  ])
})
