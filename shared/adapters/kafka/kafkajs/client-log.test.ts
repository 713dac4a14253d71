import { handClock } from '@freshet/stage/clock.kit.ts'
import type { LogAttributes } from '@freshet/stage/log.ts'
import { logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { clientLog } from './client-log.ts'

function open(over?: AbortSignal) {
  const lines: [string, string, LogAttributes | undefined][] = []
  const to = (level: string) => (message: string, attributes?: LogAttributes) =>
    void lines.push([level, message, attributes])
  const clock = handClock()
  const log = {
    debug: to('debug'),
    info: to('info'),
    warn: to('warn'),
    error: (message: string) => to('error')(message),
  }
  const write = clientLog(log, clock)(over)(logLevel.INFO)
  const say = (level: logLevel, message: string, details = {}) =>
    write({ namespace: 'Runner', level, label: '', log: { message, timestamp: '', ...details } })
  return { lines, clock, say }
}

test('a line of kafkajs is one level lower here, and keeps what has a name', () => {
  const { lines, say } = open()
  say(logLevel.ERROR, 'a', { topic: 't', partition: 3, stack: 'at …', error: new Error('why') })
  say(logLevel.WARN, 'b')
  say(logLevel.INFO, 'c')
  expect(lines).toEqual([
    [
      'warn',
      'kafkajs Runner: a',
      {
        'messaging.destination.name': 't',
        'messaging.destination.partition.id': '3',
        'exception.message': 'why',
      },
    ],
    ['info', 'kafkajs Runner: b', {}],
    ['debug', 'kafkajs Runner: c', {}],
  ])
})

test('that a group rebalances is no trouble', () => {
  const { lines, say } = open()
  const error = 'The group is rebalancing, so a rejoin is needed'
  say(logLevel.ERROR, 'Response Heartbeat(key: 12, version: 3)', { error })
  expect(lines.map(([level]) => level)).toEqual(['debug'])
})

test('what a client complains of when its owner has done with it is no trouble', () => {
  const over = new AbortController()
  const { lines, say } = open(over.signal)
  say(logLevel.ERROR, 'write after end')
  over.abort()
  for (const level of [logLevel.ERROR, logLevel.WARN, logLevel.INFO]) say(level, `crash ${level}`)
  expect(lines.map(([level]) => level)).toEqual(['warn', 'debug', 'debug', 'debug'])
})

test('an outage does not flood the log: what is said again is counted', () => {
  const { lines, clock, say } = open()
  for (clock.atMs = 0; clock.atMs <= 10_000; clock.atMs += 100) say(logLevel.ERROR, 'connection refused')
  expect(lines).toEqual([
    ['warn', 'kafkajs Runner: connection refused', {}],
    ['warn', 'kafkajs Runner: connection refused', { 'freshet.kafka.lines_left_out': 99 }],
  ])
})
