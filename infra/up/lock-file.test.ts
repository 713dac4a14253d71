import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockFile } from './lock-file.ts'
import { identify } from './process-identity.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'freshet-lock-'))
  path = join(folder, 'lock')
})
afterEach(() => rmSync(folder, { recursive: true }))

test('only one at a time works on a home; the next begins when it is done', async () => {
  const first = await lockFile(path, { deadlineMs: 10_000 })
  const waitsFor: number[] = []
  const second = lockFile(path, { deadlineMs: 10_000, onWait: (pid) => void waitsFor.push(pid) })
  expect(waitsFor).toEqual([process.pid])
  first[Symbol.dispose]()
  using _second = await second
})

test('many who come at once go one after the other', async () => {
  let inside = 0
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      using _lock = await lockFile(path, { deadlineMs: 30_000 })
      expect(++inside).toBe(1)
      await new Promise(setImmediate)
      inside--
    }),
  )
  expect(readdirSync(folder)).toEqual([])
})

test.each([
  ['a process that has died', JSON.stringify({ ...identify(process.pid)!, startedAt: 'an earlier boot 1' })],
  ['nobody knows whom', '{"pid"'],
])('the lock of %s holds nobody up', async (_whose, text) => {
  writeFileSync(path, text)
  using _lock = await lockFile(path, { deadlineMs: 0 })
})

test('whoever waits too long is told who holds the lock', async () => {
  using _first = await lockFile(path, { deadlineMs: 0 })
  await expect(lockFile(path, { deadlineMs: -1 })).rejects.toSatisfy((error) =>
    isFreshetError(error, 'HOME_BUSY'),
  )
})
