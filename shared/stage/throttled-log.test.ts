import { FreshetError } from '@freshet/errors/errors.ts'
import { expect, test } from 'vitest'
import type { LogAttributes } from './log.ts'
import { quietLog } from './quiet-log.ts'
import { ThrottledLog } from './throttled-log.ts'

test('of each message and code one line a minute is written, which says how many failures it stands for', () => {
  const lines: [string, unknown, LogAttributes | undefined][] = []
  const clock = { atMs: 0, nowMs: () => clock.atMs }
  const log = new ThrottledLog({ ...quietLog, error: (...line) => void lines.push(line as never) }, clock)
  const away = new FreshetError('S3_UNREACHABLE', 'away')
  const busy = new FreshetError('OVERLOADED', 'busy')
  for (const error of [away, away, busy, away]) log.error('a read failed', error)
  log.error('a write failed', away)
  clock.atMs = 60_000
  log.error('a read failed', away)
  expect(lines.map(([message, error, more]) => [message, error, more?.['freshet.rows']])).toEqual([
    ['a read failed', away, 1],
    ['a read failed', busy, 1],
    ['a write failed', away, 1],
    ['a read failed', away, 3],
  ])
})
