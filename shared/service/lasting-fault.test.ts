import { FreshetError } from '@freshet/errors/errors.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { expect, test } from 'vitest'
import { LastingFault } from './lasting-fault.ts'
import { ServiceState } from './service-state.ts'

const away = new FreshetError('REDIS_UNREACHABLE', 'no answer')

function faultOf(worker: string) {
  const clock = handClock(1_000)
  const state = new ServiceState(clock)
  state.running('gateway')
  const fault = new LastingFault(state, { worker, patienceMsOf: () => 5_000, clock })
  const lookAt = (atMs: number, error?: FreshetError) => {
    clock.atMs = atMs
    fault.looked(error)
    return state.snapshot().status
  }
  return { state, lookAt }
}

test('a blip is not told; what was there at every look for so long is, until a look finds all well', () => {
  const { state, lookAt } = faultOf('cache')
  expect(lookAt(1_000, away)).toBe('running')
  expect(lookAt(5_900, away)).toBe('running')
  expect(lookAt(6_000)).toBe('running')
  expect(lookAt(7_000, away)).toBe('running')
  expect(lookAt(11_900, away)).toBe('running')
  expect(lookAt(12_000, away)).toBe('failing')
  expect(state.snapshot()).toMatchObject({ lastError: 'REDIS_UNREACHABLE: no answer' })
  expect(lookAt(13_000, away)).toBe('failing')
  expect(lookAt(14_000)).toBe('running')
  expect(lookAt(15_000, away)).toBe('running')
})

test('what was never told as failing is not told as running: that may be another’s word', () => {
  const { state, lookAt } = faultOf('cache')
  state.stopping()
  expect(lookAt(2_000)).toBe('stopping')
})
