import { getEventListeners } from 'node:events'
import { Worker } from 'node:worker_threads'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import { storedScoreOf } from '@freshet/records/stored-score.ts'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openSnapshotFile } from '../parquet/read.ts'
import { manyRows } from '../rows.kit.ts'
import { sortRows } from '../sort.ts'
import { wholeFile } from '../whole-file.kit.ts'
import { ENDS_THE_THREAD, readingFromMemory } from './reading-from-memory.kit.ts'
import { ReadingThread } from './reading-thread.ts'

const ROWS = 120_000 // two row groups
/** Also on a machine that is busy. */
const GIVE_UP_MS = 55_000

test('a thread makes the same rows of a file as are made here, page by page', async () => {
  const { bytes, file, program } = await givenFile()
  await using thread = new ReadingThread(program, AbortSignal.timeout(GIVE_UP_MS))
  const store = new MemoryObjectStore()
  await store.put(file.key, bytes)
  const { pages } = await openSnapshotFile(store, file)
  const expected = pages[Symbol.asyncIterator]()
  let rows = 0
  for await (const page of thread.pages(file)) {
    const { value } = await expected.next()
    expect(page.count).toBe(value.count)
    for (let row = 0; row < page.count; row += 101)
      expect(storedScoreOf(page, row)).toEqual(storedScoreOf(value as StoredRows, row))
    rows += page.count
  }
  expect(rows).toBe(ROWS)
  expect((await expected.next()).done).toBe(true)
})

test('a file that is damaged or not there is told as such, and leaves the thread fit for the next', async () => {
  const { bytes, file } = await givenFile()
  const damaged = new Uint8Array(bytes).fill(0xff, 20_000, 30_000)
  const files = readingFromMemory({ [file.key]: bytes, damaged })
  await using thread = new ReadingThread(files, AbortSignal.timeout(GIVE_UP_MS))
  for (const [key, code] of [
    ['damaged', 'SNAPSHOT_CORRUPT'],
    ['gone', 'SNAPSHOT_FILE_MISSING'],
  ] as const) {
    await expect(countOf(thread.pages({ ...file, key }))).rejects.toMatchObject({ code })
    expect(await countOf(thread.pages(file))).toBe(ROWS)
  }
})

test('who stops half-way leaves nothing behind for the next file, and the thread ends by itself', async () => {
  const { file, program } = await givenFile()
  const posts = vi.spyOn(Worker.prototype, 'postMessage')
  const terminations = vi.spyOn(Worker.prototype, 'terminate')
  onTestFinished(() => void vi.restoreAllMocks())
  await using thread = new ReadingThread(program, AbortSignal.timeout(GIVE_UP_MS))
  for await (const _ of thread.pages(file)) break
  const first = posts.mock.contexts[0] as Worker
  await expect.poll(() => first.threadId).toBe(-1) // it has ended
  expect(await countOf(thread.pages(file))).toBe(ROWS)
  expect(terminations).not.toHaveBeenCalled()
})

test('a thread that has ended is told as such, and the next file gets another', async () => {
  const { file, program } = await givenFile()
  await using thread = new ReadingThread(program, AbortSignal.timeout(GIVE_UP_MS))
  const ended = countOf(thread.pages({ ...file, key: ENDS_THE_THREAD }))
  await expect(ended).rejects.toMatchObject({ code: 'BUG' })
  expect(await countOf(thread.pages(file))).toBe(ROWS)
})

test('a thread that cannot begin is told as such', async () => {
  const program = { url: new URL('./no-such-program.ts', import.meta.url), data: {} }
  await using thread = new ReadingThread(program, AbortSignal.timeout(GIVE_UP_MS))
  await expect(countOf(thread.pages({ key: 'file', bytes: 1 }))).rejects.toThrow('no-such-program')
})

test('who gives up is told so, and gets no more pages', async () => {
  const stop = new AbortController()
  const { file, program } = await givenFile()
  await using thread = new ReadingThread(program, stop.signal)
  const reading = (async () => {
    for await (const _ of thread.pages(file)) stop.abort()
  })()
  await expect(reading).rejects.toMatchObject({ code: 'DEADLINE' })
})

test('a signal that outlives the thread does not keep it', async () => {
  const { signal } = new AbortController()
  const { file, program } = await givenFile()
  for (let load = 0; load < 2; load++) {
    await using thread = new ReadingThread(program, signal)
    for await (const _ of thread.pages(file)) break // half-way, so that the next one begins anew
    expect(await countOf(thread.pages(file))).toBe(ROWS)
  }
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

async function givenFile() {
  const { bytes } = await wholeFile([sortRows(rowsOfBatch(manyRows(0, ROWS)))])
  const file = { key: 'file', bytes: bytes.length }
  return { bytes, file, program: readingFromMemory({ [file.key]: bytes }) }
}

async function countOf(pages: AsyncIterable<StoredRows>): Promise<number> {
  let rows = 0
  for await (const page of pages) rows += page.count
  return rows
}
