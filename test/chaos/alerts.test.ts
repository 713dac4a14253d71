import { expect, test } from 'vitest'
import type { Told } from '../alerts/told.ts'
import { type Done, starvedBefore, unexplained } from './alerts.ts'

const told = (title: string, atMs = 1_500): Told => ({ change: 'FIRING', title, atMs })
const struck = (target: Done['target']): Done => ({ target, kind: 'kill', atMs: 1_000, overAtMs: 2_000 })

test.each([
  ['Redis does not answer', 'redis'],
  ['scorer-host-12 cannot reach S3, the watchdog can', 'scorer'],
  ['gateway-host-12 has been silent for 11 s', 'gateway'],
  ['t0.cache is 25 s behind, and nobody reads for it', 'redis'],
  ['the capture of flights is 25 s behind', 'elasticsearch'],
  ['31 % of the answers are degraded', 'redis'],
] as const)('“%s” is explained by a fault of %s', (title, target) => {
  expect(unexplained([told(title)], [struck(target)])).toEqual([])
})

test.each([
  ['Redis does not answer', 'kafka'],
  ['poller-host-12 has been silent for 11 s', 'gateway'],
  ['the committed offset of t0.cache went back by 12', 'kafka'],
  ['2 scores are missing, stale or extra', 'kafka'],
  ['1 change could not be scored', 'scorer'],
] as const)('“%s” is not explained by a fault of %s', (title, target) => {
  expect(unexplained([told(title)], [struck(target)])).toHaveLength(1)
})

test('before a fault, and long after it, it explains nothing; that something is over needs no reason', () => {
  const redis = 'Redis does not answer'
  expect(unexplained([told(redis, 900), told(redis, 200_000)], [struck('redis')])).toHaveLength(2)
  expect(unexplained([{ ...told(redis), change: 'RESOLVED' }], [])).toEqual([])
})

test('degraded answers need no fault where the machine stood still, and all else does', () => {
  const degraded = told('31 % of the answers are degraded')
  expect(unexplained([degraded], [])).toHaveLength(1)
  expect(unexplained([degraded], [], () => true)).toEqual([])
  expect(unexplained([told('Redis does not answer')], [], () => true)).toHaveLength(1)
})

test('the machine stood still where more than the hundredth part of what was asked lately came late', () => {
  const lateAtMs = Array.from({ length: 91 }, (_, ms) => 100_000 + ms)
  const requestsPerSecond = 100
  expect(starvedBefore(101_000, { lateAtMs, requestsPerSecond })).toBe(true)
  expect(starvedBefore(101_000, { lateAtMs: lateAtMs.slice(1), requestsPerSecond })).toBe(false)
  expect(starvedBefore(200_000, { lateAtMs, requestsPerSecond })).toBe(false)
  expect(starvedBefore(99_000, { lateAtMs, requestsPerSecond })).toBe(false)
})
