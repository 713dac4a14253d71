import { quietLog } from '@freshet/stage/quiet-log.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Family } from '../metrics/prometheus-text.ts'
import { FirstProcess } from './first-process.ts'
import type { FromWorker } from './messages.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const own: Family = { name: 'own', kind: 'gauge', help: 'Of this worker.', samples: [{ value: 1 }] }

function world() {
  const said: FromWorker[] = []
  const errors: string[] = []
  const log = { ...quietLog, error: (message: string) => void errors.push(message) }
  return { first: new FirstProcess((message) => said.push(message), vi.fn()), said, errors, log }
}

test('who is scraped tells the figures of all, and only its own where the first process does not answer', async () => {
  const { first, said, log } = world()
  const figures = first.figuresOfAll(async () => [own], log)
  const ofAll = figures()
  expect(said).toEqual([{ kind: 'ask figures', id: 1 }])
  first.hear({ kind: 'figures of all', id: 1, families: [own, own] })
  expect(await ofAll).toEqual([own, own])

  const alone = figures()
  await vi.advanceTimersByTimeAsync(1_500)
  expect(await alone).toEqual([own])
})

test('figures that cannot be had end the scrape and not the worker', async () => {
  const { first, said, errors, log } = world()
  const figures = first.figuresOfAll(() => Promise.reject(new Error('EMFILE')), log)
  const failing = expect(figures()).rejects.toThrow('EMFILE')
  await vi.advanceTimersByTimeAsync(1_500)
  await failing
  first.hear({ kind: 'tell figures', id: 9 })
  await vi.advanceTimersByTimeAsync(0)
  expect(said).toEqual([{ kind: 'ask figures', id: 1 }])
  expect(errors).toEqual(['the figures of this worker are missing'])
})
