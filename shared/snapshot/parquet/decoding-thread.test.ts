import type { Buffer } from 'node:buffer'
import { getEventListeners } from 'node:events'
import { Worker } from 'node:worker_threads'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import { storedScoreOf } from '@freshet/records/stored-score.ts'
import { expect, onTestFinished, test, vi } from 'vitest'
import { manyRows } from '../rows.kit.ts'
import { sortRows } from '../sort.ts'
import { wholeFile } from '../whole-file.kit.ts'
import { DecodingThread } from './decoding-thread.ts'
import { openSnapshotFile } from './read.ts'

const ROWS = 120_000 // two row groups, the second too large to be decoded here

test('a thread makes the same rows of a file as are made here, page by page', async () => {
  await using thread = new DecodingThread(AbortSignal.timeout(20_000))
  const { store, file } = await storedFile()
  const { pages: ours } = await openSnapshotFile(store, file)
  const { pages: theirs } = await openSnapshotFile(store, file, { decoder: thread })
  const expected = ours[Symbol.asyncIterator]()
  let rows = 0
  for await (const page of theirs) {
    const { value } = await expected.next()
    expect(page.count).toBe(value.count)
    for (let row = 0; row < page.count; row += 101)
      expect(storedScoreOf(page, row)).toEqual(storedScoreOf(value as StoredRows, row))
    rows += page.count
  }
  expect(rows).toBe(ROWS)
  expect((await expected.next()).done).toBe(true)
})

test('a page that is damaged is told as such, and leaves the thread fit for the next file', async () => {
  await using thread = new DecodingThread(AbortSignal.timeout(20_000))
  const { store, file, bytes } = await storedFile()
  bytes.fill(0xff, 20_000, 30_000)
  await store.put('damaged', bytes)
  const damaged = await openSnapshotFile(store, { ...file, key: 'damaged' }, { decoder: thread })
  await expect(countOf(damaged.pages)).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
  const whole = await openSnapshotFile(store, file, { decoder: thread })
  expect(await countOf(whole.pages)).toBe(ROWS)
})

test('who stops half-way leaves nothing behind for the next file', async () => {
  await using thread = new DecodingThread(AbortSignal.timeout(20_000))
  const { store, file } = await storedFile()
  const { pages } = await openSnapshotFile(store, file, { decoder: thread })
  for await (const _ of pages) break
  const again = await openSnapshotFile(store, file, { decoder: thread })
  expect(await countOf(again.pages)).toBe(ROWS)
})

test('a thread that has ended is told as such, and the next file gets another', async () => {
  await using thread = new DecodingThread(AbortSignal.timeout(20_000))
  const { store, file } = await storedFile()
  const posts = vi.spyOn(Worker.prototype, 'postMessage')
  onTestFinished(() => posts.mockRestore())
  const { pages } = await openSnapshotFile(store, file, { decoder: thread })
  const reading = (async () => {
    for await (const _ of pages) await (posts.mock.contexts[0] as Worker | undefined)?.terminate()
  })()
  await expect(reading).rejects.toMatchObject({ code: 'BUG' })
  const again = await openSnapshotFile(store, file, { decoder: thread })
  expect(await countOf(again.pages)).toBe(ROWS)
})

test('who gives up does not wait for the thread', async () => {
  const stop = new AbortController()
  await using thread = new DecodingThread(stop.signal)
  const { store, file } = await storedFile()
  const { pages } = await openSnapshotFile(store, file, { decoder: thread })
  const reading = (async () => {
    for await (const _ of pages) stop.abort()
  })()
  await expect(reading).rejects.toMatchObject({ code: 'DEADLINE' })
})

test('a signal that outlives the thread does not keep it', async () => {
  const { signal } = new AbortController()
  const { store, file } = await storedFile()
  for (let load = 0; load < 2; load++) {
    await using thread = new DecodingThread(signal)
    const { pages } = await openSnapshotFile(store, file, { decoder: thread })
    for await (const _ of pages) break // half-way, so that the next one begins anew
    const again = await openSnapshotFile(store, file, { decoder: thread })
    expect(await countOf(again.pages)).toBe(ROWS)
  }
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

async function storedFile(): Promise<{
  store: MemoryObjectStore
  file: { key: string; bytes: number }
  bytes: Buffer
}> {
  const store = new MemoryObjectStore()
  const { bytes } = await wholeFile([sortRows(rowsOfBatch(manyRows(0, ROWS)))])
  await store.put('file', bytes)
  return { store, file: { key: 'file', bytes: bytes.length }, bytes }
}

async function countOf(pages: AsyncIterable<StoredRows>): Promise<number> {
  let rows = 0
  for await (const page of pages) rows += page.count
  return rows
}
