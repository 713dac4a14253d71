import { FreshetError } from '@freshet/errors/errors.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { expect, test } from 'vitest'
import { ServiceState } from './service-state.ts'

test('an instance says how far each stage is, and with which model', () => {
  const state = new ServiceState()
  state.running('infer')
  state.progressed('infer', 3)
  state.progressed('infer', 4)
  state.usesModel('delay@4')
  expect(state.snapshot()).toEqual({
    status: 'running',
    progress: { infer: 7 },
    model: 'delay@4',
    lastError: null,
    lastErrorAtMs: null,
  })
})

test('the last word of an orderly end is that it stops, although a worker was failing', () => {
  const state = new ServiceState()
  state.running('infer')
  state.failing('cache', new FreshetError('REDIS_UNREACHABLE', 'no answer'))
  state.stopping()
  expect(state.snapshot()).toMatchObject({ status: 'stopping', lastError: 'REDIS_UNREACHABLE: no answer' })
})

test('an error tells when it last was, also when work goes on', () => {
  const clock = handClock(5_000)
  const state = new ServiceState(clock)
  state.failing('snapshot', new FreshetError('S3_UNREACHABLE', 'no answer'))
  clock.atMs = 9_000
  state.running('snapshot')
  expect(state.snapshot()).toMatchObject({ status: 'running', lastErrorAtMs: 5_000 })
})

test('it is failing while any of its workers is, and says what of', () => {
  const state = new ServiceState()
  state.running('snapshot')
  state.failing('snapshot', new FreshetError('RECORD_MALFORMED', 'a broken manifest'))
  state.failing('infer', new FreshetError('S3_UNREACHABLE', 'no answer'))
  expect(state.snapshot()).toMatchObject({ status: 'failing', lastError: 'S3_UNREACHABLE: no answer' })
  expect(state.snapshot().failing).toMatchObject([
    { worker: 'snapshot', error: 'RECORD_MALFORMED: a broken manifest' },
    { worker: 'infer', error: 'S3_UNREACHABLE: no answer' },
  ])
  state.running('infer')
  state.running('capture')
  const broken = { lastError: 'RECORD_MALFORMED: a broken manifest' }
  expect(state.snapshot()).toMatchObject({ status: 'failing', ...broken })
  state.running('snapshot')
  expect(state.snapshot()).toMatchObject({ status: 'running', lastError: 'S3_UNREACHABLE: no answer' })
  expect(state.snapshot()).not.toHaveProperty('failing')
})
