import type { Worker } from 'node:cluster'
import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { endOf } from './worker-end.ts'

function workerWith(pid: number | undefined) {
  return Object.assign(new EventEmitter() as Worker, { process: { pid } as Worker['process'] })
}

test('a worker ends with its exit code, or with the signal that killed it', async () => {
  for (const [exit, end] of [
    [[1, null], '1'],
    [[null, 'SIGKILL'], 'SIGKILL'],
  ] as const) {
    const worker = workerWith(7)
    const ended = endOf(worker)
    worker.emit('error', new Error('kill EPERM')) // it lives
    worker.emit('exit', ...exit)
    expect(await ended).toBe(end)
  }
})

test('one that the system did not start has ended, too', async () => {
  const worker = workerWith(undefined)
  const ended = endOf(worker)
  worker.emit('error', new Error('spawn node EMFILE'))
  expect(await ended).toBe('spawn node EMFILE')
})
