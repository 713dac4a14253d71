import type { Stats } from '@freshet/adapters/elasticsearch/shards-api.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test, vi } from 'vitest'
import { StateWatch } from './state-watch.ts'

const signal = new AbortController().signal
const refuse = () => Promise.reject(new FreshetError('ELASTICSEARCH_UNAUTHORIZED', 'no monitor privilege'))
const answer = async (): Promise<Stats> => ({ indices: { i: { uuid: 'u', shards: {} } } })

test('statistics that are refused are told of once, and once when they come again; meanwhile every index is read', async () => {
  const read = vi.fn(answer)
  const log = { ...quietLog, warn: vi.fn(), info: vi.fn() }
  const watch = new StateWatch(read, log)
  expect([...(await watch.look(signal)).keys()]).toEqual(['i'])
  read.mockImplementation(refuse)
  for (let poll = 0; poll < 3; poll++) expect(await watch.look(signal)).toEqual(new Map())
  expect(log.warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('no monitor privilege'))
  read.mockImplementation(answer)
  for (let poll = 0; poll < 3; poll++) await watch.look(signal)
  expect(log.info).toHaveBeenCalledOnce()
})

test('a stop is no refusal', async () => {
  const log = { ...quietLog, warn: vi.fn() }
  await new StateWatch(refuse, log).look(AbortSignal.abort())
  expect(log.warn).not.toHaveBeenCalled()
})
