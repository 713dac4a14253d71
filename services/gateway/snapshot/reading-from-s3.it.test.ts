import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { putSnapshotFile } from '@freshet/snapshot/bucket.kit.ts'
import { objectKey } from '@freshet/snapshot/manifest.ts'
import { sharedPatience } from '@freshet/snapshot/prompt-reads.ts'
import { manyRows } from '@freshet/snapshot/rows.kit.ts'
import { ReadingThread } from '@freshet/snapshot/thread/reading-thread.ts'
import { expect, onTestFinished, test } from 'vitest'
import { readingFromS3 } from './reading-from-s3.ts'

const ROWS = 40_000

test('a thread reads files with an S3 client of its own, and what that meets comes over by its code', async () => {
  const { s3 } = loadSettings({ env: { ...process.env, FRESHET_S3_PREFIX: `reading-${randomUUID()}` } })
  await ensureBucket(s3)
  await using store = openS3(s3)
  const { object, bytes } = await putSnapshotFile(store, '0/base', manyRows(0, ROWS))
  const file = { key: objectKey(object), bytes }
  expect(await rowsOf(s3, file)).toBe(ROWS)
  await store.delete(file.key)
  await expect(rowsOf(s3, file)).rejects.toMatchObject({ code: 'SNAPSHOT_FILE_MISSING' })
  const nobody = { ...s3, endpoint: 'http://127.0.0.1:9' }
  await expect(rowsOf(nobody, file)).rejects.toMatchObject({ code: 'S3_UNREACHABLE' })
})

test('a store that is too slow for a thread is given more time by the next', async () => {
  const { s3 } = loadSettings({ env: process.env })
  const silent = createServer().listen(0, '127.0.0.1') // accepts, and says nothing
  onTestFinished(() => void silent.close())
  await once(silent, 'listening')
  const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const patience = sharedPatience()
  const read = rowsOf({ ...s3, endpoint }, { key: 'a', bytes: 1_000 }, patience)
  await expect(read).rejects.toMatchObject({ code: 'S3_UNREACHABLE' })
  expect(patience[0]).toBe(2)
})

async function rowsOf(
  s3: Parameters<typeof readingFromS3>[0],
  file: { key: string; bytes: number },
  patience = sharedPatience(),
): Promise<number> {
  await using thread = new ReadingThread(readingFromS3(s3, patience), AbortSignal.timeout(20_000))
  let rows = 0
  for await (const page of thread.pages(file)) rows += page.count
  return rows
}
