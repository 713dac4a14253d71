/** Everything that is kept as JSON with a version: in Kafka's topics, in S3, beside consumer groups. */
import { Buffer } from 'node:buffer'
import type { ErrorCode } from '@freshet/errors/errors.ts'
import { generationsRecord } from '@freshet/model/bundle/generations.ts'
import { modelPointerRecord } from '@freshet/model/bundle/model-pointer.ts'
import { shadowPointerRecord } from '@freshet/model/bundle/shadow-pointer.ts'
import { alertStateRecord } from '@freshet/records/alert-state.ts'
import { orderRecord, speakerClaimRecord } from '@freshet/records/control.ts'
import { cursorRecord } from '@freshet/records/cursor.ts'
import { dailyRecord } from '@freshet/records/daily.ts'
import { deadLetterRecord } from '@freshet/records/dead-letter.ts'
import { golden } from '@freshet/records/golden/golden.kit.ts'
import { heartbeatRecord } from '@freshet/records/heartbeat.ts'
import type { JsonRecord } from '@freshet/records/json-record.ts'
import { latestRecord } from '@freshet/records/latest-snapshot.ts'
import { manifestRecord } from '@freshet/records/manifest.ts'
import { inferNoteRecord, rescoreNoteRecord } from '@freshet/records/scoring-note.ts'
import { shadowReportRecord } from '@freshet/records/shadow-report.ts'
import { toldRecord } from '@freshet/records/told.ts'
import { expect, test } from 'vitest'
import { fuzz } from './fuzz.kit.ts'
import { expectRank } from './rank.kit.ts'

const CODES: readonly ErrorCode[] = ['RECORD_MALFORMED', 'RECORD_VERSION', 'RECORD_OUTDATED']

const heartbeat = {
  ...{ version: 1, service: 'scorer', instance: 'scorer-1', startedAtMs: 1, atMs: 2, status: 'failing' },
  ...{ progress: { infer: 3 }, metrics: { 'freshet.answers': 4 }, model: 'delay@1' },
  failing: [{ worker: 'model', error: 'MODEL_HASH: other bytes', atMs: 2 }],
  ...{ lastError: 'MODEL_HASH: other bytes', lastErrorAtMs: 2 },
  replaces: { instances: ['scorer-0'], ended: 'SIGKILL' },
}
const claim = { version: 1, instance: 'watchdog-1', claim: 'c', atMs: 1 }
const daily = { version: 1, day: '2026-11-30', toldAtMs: 1 }
const told = { version: 1, sinceMs: 1, toldAtMs: 2, errorCode: 'KAFKA_UNREACHABLE' }

fuzzRecord('cursor', cursorRecord, [golden('cursor.v1.txt'), golden('cursor.v2.txt')], (cursor) => {
  for (const epoch of [cursor.epoch, ...cursor.deadEpochs])
    expectRank({
      revision: {
        ...{ documentVersion: 0, epoch, primaryTerm: cursor.identity.primaryTerm },
        seqNo: Math.max(0, cursor.seqNo),
      },
      modelGeneration: 1,
    })
})
fuzzRecord('dead-letter', deadLetterRecord, [
  golden('dead-letter.v1.txt'),
  golden('dead-letter.v2.txt'),
  golden('dead-letter-document.v2.txt'),
])
fuzzRecord('heartbeat', heartbeatRecord, [json(heartbeat)])
fuzzRecord(
  'order',
  orderRecord,
  golden('orders.v1.txt')
    .toString()
    .split('\n')
    .map((line) => Buffer.from(line)),
)
fuzzRecord('speaker-claim', speakerClaimRecord, [json(claim)])
fuzzRecord('alert-state', alertStateRecord, [golden('alert-state.v1.txt'), golden('alert-state.v2.txt')])
fuzzRecord('manifest', manifestRecord, [golden('manifest.v1.txt')])
fuzzRecord('latest-snapshot', latestRecord, [golden('latest-snapshot.v1.txt')])
fuzzRecord('model-pointer', modelPointerRecord, [
  golden('model-pointer.v1.txt'),
  golden('model-pointer-with-previous.v1.txt'),
])
fuzzRecord('last-generation', generationsRecord, [golden('last-generation.v1.txt')])
fuzzRecord('shadow-pointer', shadowPointerRecord, [golden('shadow-pointer.v1.txt')])
fuzzRecord('shadow-report', shadowReportRecord, [golden('shadow-report.v1.txt')])
fuzzRecord('infer-note', inferNoteRecord, [golden('infer-note.v1.txt')])
fuzzRecord('rescore-note', rescoreNoteRecord, [golden('rescore-note.v1.txt')])
fuzzRecord('told', toldRecord, [json(told)])
fuzzRecord('daily', dailyRecord, [json(daily)])

/** @param check fails where a value is none that others can take. */
function fuzzRecord<T>(
  name: string,
  record: JsonRecord<T>,
  valid: readonly Buffer[],
  check: (value: T) => void = () => {},
): void {
  fuzz({
    name,
    format: 'json',
    codes: CODES,
    valid,
    share: 0.3,
    read(bytes) {
      const value = record.decode(bytes)
      const text = record.encode(value)
      expect(() => record.decode(text)).not.toThrow()
      expect(record.encode(record.decode(text))).toBe(text)
      check(value)
    },
  })
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

test('an order until a moment that no date can show is refused: whoever tells people of it would throw', () => {
  const order = { version: 1, order: 'maintenance', by: 'x', reason: 'y', atMs: 1, untilMs: 8.64e15 } as const
  expect(orderRecord.decode(orderRecord.encode(order))).toEqual(order)
  const never = orderRecord.encode({ ...order, untilMs: 8.64e15 + 1 })
  expect(() => orderRecord.decode(never)).toThrow(expect.objectContaining({ code: 'RECORD_MALFORMED' }))
})

test.each([
  ['epoch', { epoch: 2 ** 48 }],
  ['dead epoch', { deadEpochs: [2 ** 48] }],
])('a cursor with the %s 2^48 is refused: no change of that shard could be read', (_, wrong) => {
  const cursor = cursorRecord.decode(golden('cursor.v2.txt'))
  const text = cursorRecord.encode({ ...cursor, ...wrong })
  expect(() => cursorRecord.decode(text)).toThrow(expect.objectContaining({ code: 'RECORD_MALFORMED' }))
})
