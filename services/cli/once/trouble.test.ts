import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { expect, test } from 'vitest'
import { withTroubles, withWhy } from './trouble.ts'

const late = new FreshetError('DEADLINE', '3 changes are not in the snapshot')
const broken = new FreshetError('RECORD_MALFORMED', 'a broken manifest')

function hearing() {
  const clock = handClock()
  const state = new ServiceState()
  const heard = withTroubles({ report: state } as unknown as ServiceContext, clock)
  const why = () => (withWhy(late, heard.troubles()) as Error).message
  return { clock, state, report: heard.context.report, why }
}

test('a run that is late says why the scorer stands still, although the poller is well at every look', () => {
  const { state, report, why } = hearing()
  report.failing('snapshot', broken)
  report.running('capture')
  expect(why()).toBe(
    '3 changes are not in the snapshot; snapshot fails with RECORD_MALFORMED: a broken manifest',
  )
  expect(state.snapshot()).toMatchObject({ status: 'failing' })
})

test('of several that fail each is named, with its last error', () => {
  const { report, why } = hearing()
  report.failing('cache', new FreshetError('REDIS_UNREACHABLE', 'first'))
  report.failing('capture', new FreshetError('ELASTICSEARCH_UNREACHABLE', 'away'))
  report.failing('cache', new FreshetError('REDIS_UNREACHABLE', 'second'))
  expect(why()).toMatch(/; cache fails with REDIS_UNREACHABLE: second; capture fails with ELASTIC.*: away$/)
})

test('a worker that is started again is well only when it has worked for a while', () => {
  const { clock, report, why } = hearing()
  report.failing('snapshot', broken)
  report.running('snapshot')
  expect(why()).toMatch(/a broken manifest$/)
  clock.atMs += 14_000
  report.running('snapshot')
  clock.atMs += 2_000
  expect(why()).toBe(late.message)
})

test('what is no matter of time is left as it is', () => {
  const { report } = hearing()
  report.failing('snapshot', broken)
  const refused = new FreshetError('INDEX_MISSING', 'no such index')
  expect(withWhy(refused, new Map([['snapshot', broken]]))).toBe(refused)
  const told = withWhy(late, new Map([['snapshot', broken]]))
  expect(isFreshetError(told, 'DEADLINE') && told.cause).toBe(late)
})
