import { FreshetError } from '@freshet/errors/errors.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import type { LogAttributes } from '@freshet/stage/log.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { RebuildTeller } from './rebuild-teller.ts'

test('an outage does not flood the log: of each kind of error once a minute it is told, with how often it was', () => {
  const clock = handClock()
  const warned: [string, LogAttributes | undefined][] = []
  const errors: string[] = []
  const teller = new RebuildTeller(
    'air-infer',
    {
      ...quietLog,
      warn: (message, attributes) => void warned.push([message, attributes]),
      error: (message) => void errors.push(message),
    },
    clock,
  )
  const away = new FreshetError('KAFKA_UNREACHABLE', 'no broker answers')
  for (; clock.atMs <= 60_000; clock.atMs += 4_000) teller.tell(away)
  teller.tell(new FreshetError('KAFKA_STALLED', 'nothing moves'))
  for (let bug = 0; bug < 2; bug++) teller.tell(new FreshetError('BUG', 'undefined is not a function'))
  const line = 'no broker answers; the consumer of air-infer is built anew'
  expect(warned).toEqual([
    [line, { 'error.type': 'KAFKA_UNREACHABLE' }],
    [line, { 'error.type': 'KAFKA_UNREACHABLE', 'freshet.kafka.lines_left_out': 14 }],
    ['nothing moves; the consumer of air-infer is built anew', { 'error.type': 'KAFKA_STALLED' }],
  ])
  expect(errors).toHaveLength(2)
})
