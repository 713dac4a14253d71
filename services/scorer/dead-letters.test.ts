import { Buffer } from 'node:buffer'
import type { OutgoingMessage } from '@freshet/adapters/kafka/producer.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { CHANGE_HEADER } from '@freshet/records/change.ts'
import { DEAD_LETTER_HEADER, deadLetterRecord } from '@freshet/records/dead-letter.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import type { LogAttributes } from '@freshet/stage/log.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { expect, test } from 'vitest'
import { DeadLetters, type DeadMessage } from './dead-letters.ts'

const source = { topic: 'air.changes', partition: 3, model: 'delay@1' }
const { signal } = new AbortController()

function door(send?: () => Promise<void>) {
  const sent: OutgoingMessage[] = []
  const lines: LogAttributes[] = []
  const metrics = new Metrics()
  const clock = handClock(1_764_000_000_000)
  const deadLetters = new DeadLetters({
    pipeline: 'air',
    producer: {
      send: async (topic, messages) => {
        expect(topic).toBe('air.dead')
        await send?.()
        sent.push(...messages)
      },
    },
    telemetry: quietTelemetry({
      metrics,
      log: {
        ...quietLog,
        warn: (_, attributes = {}) => lines.push(attributes),
      },
    }),
    clock,
  })
  return { deadLetters, sent, lines, clock, counted: () => metrics.values()['freshet.scorer.dead'] }
}

function dead(offset: number, code: DeadMessage['code'] = 'FIELD_MISSING'): DeadMessage {
  const headers = { [CHANGE_HEADER]: Buffer.of(1, 2, 3), other: undefined }
  const message = { offset, key: Buffer.from(`flights/${offset}`), value: Buffer.from('{"a": 1}'), headers }
  return { message, code, at: '/distance', reason: 'no distance' }
}

test('a dead letter keeps the change as it was, and the reason beside it', async () => {
  const { deadLetters, sent, counted } = door()
  await deadLetters.send([dead(41)], source, signal)
  expect(sent).toEqual([
    {
      partition: 0,
      key: Buffer.from('flights/41'),
      value: Buffer.from('{"a": 1}'),
      headers: { [CHANGE_HEADER]: Buffer.of(1, 2, 3), [DEAD_LETTER_HEADER]: expect.any(Buffer) },
      timestampMs: 1_764_000_000_000,
    },
  ])
  expect(deadLetterRecord.decode(sent[0]!.headers![DEAD_LETTER_HEADER]!)).toEqual({
    version: 2,
    code: 'FIELD_MISSING',
    message: 'no distance',
    at: '/distance',
    model: 'delay@1',
    topic: 'air.changes',
    partition: 3,
    offset: 41,
    document: null,
    diedAtMs: 1_764_000_000_000,
  })
  expect(counted()).toBe(1)
})

test('a dead letter that Kafka did not take is not counted as kept', async () => {
  const { deadLetters, counted, lines } = door(async () => {
    throw new FreshetError('KAFKA_PRODUCE_DEADLINE', 'no answer')
  })
  await expect(deadLetters.send([dead(41)], source, signal)).rejects.toMatchObject({
    code: 'KAFKA_PRODUCE_DEADLINE',
  })
  expect([counted(), lines]).toEqual([0, []])
})

test('a flood of dead letters leaves a line per code and minute, with the number and a key to look at', async () => {
  const { deadLetters, lines, clock, counted } = door()
  await deadLetters.send(
    [1, 2, 3].map((offset) => dead(offset)),
    source,
    signal,
  )
  await deadLetters.send([dead(4, 'DOCUMENT_NOT_JSON')], source, signal)
  expect(lines.map((line) => [line['error.type'], line['freshet.key'], line['freshet.dead.rows']])).toEqual([
    ['FIELD_MISSING', 'flights/1', 1],
    ['DOCUMENT_NOT_JSON', 'flights/4', 1],
  ])
  clock.atMs += 60_000
  await deadLetters.send([dead(5)], source, signal)
  expect(lines.at(-1)).toMatchObject({ 'freshet.key': 'flights/5', 'freshet.dead.rows': 3 })
  expect(counted()).toBe(5)
})
