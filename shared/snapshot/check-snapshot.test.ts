import { Buffer } from 'node:buffer'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { MANIFEST_OBJECT, type Manifest, manifestRecord } from '@freshet/records/manifest.ts'
import { expect, test } from 'vitest'
import { checkSnapshot } from './check-snapshot.ts'
import { objectKey } from './manifest.ts'

const forEver = new AbortController().signal

test('no snapshot yet is no fault, nor is one whose files are all there', async () => {
  const store = new MemoryObjectStore()
  await checkSnapshot(store, 'flights', forEver)
  await store.put(objectKey('0/base'), Buffer.alloc(5))
  await publish(store, 'base')
  await checkSnapshot(store, 'flights', forEver)
})

test('a file that is not there is named, with the way out', async () => {
  const store = new MemoryObjectStore()
  await publish(store, 'base')
  await expect(checkSnapshot(store, 'flights', forEver)).rejects.toMatchObject({
    code: 'SNAPSHOT_FILE_MISSING',
    message: expect.stringMatching(/^1 of 1 files .*0\/base/),
    hint: expect.stringMatching(/`freshet snapshot check`.*`freshet snapshot drop`/),
  })
})

test('a file of another length is damaged', async () => {
  const store = new MemoryObjectStore()
  await store.put(objectKey('0/base'), Buffer.alloc(4))
  await publish(store, 'base')
  await expect(checkSnapshot(store, 'flights', forEver)).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
})

test('what a merge takes away between two looks is no fault', async () => {
  const store = new Merging()
  await publish(store, 'old')
  await checkSnapshot(store, 'flights', forEver)
  expect(store.isMerged).toBe(true)
})

test('a manifest that is cut short, and one of another pipeline, are told', async () => {
  const store = new MemoryObjectStore()
  await publish(store, 'base')
  await expect(checkSnapshot(store, 'shop', forEver)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await store.put(MANIFEST_OBJECT, Buffer.from('{"version":1,'))
  await expect(checkSnapshot(store, 'flights', forEver)).rejects.toMatchObject({ code: 'RECORD_MALFORMED' })
})

/** Puts a new base in the place of the old one just before its files are listed. */
class Merging extends MemoryObjectStore {
  isMerged = false

  override async list(prefix: string): ReturnType<MemoryObjectStore['list']> {
    if (!this.isMerged) {
      this.isMerged = true
      await this.put(objectKey('0/new'), Buffer.alloc(5))
      await publish(this, 'new')
    }
    return super.list(prefix)
  }
}

async function publish(store: MemoryObjectStore, name: 'base' | 'old' | 'new'): Promise<void> {
  const base = { object: `0/${name}`, rows: 1, bytes: 5, newestAsOfMs: 1 }
  const manifest: Manifest = {
    version: 1,
    pipeline: 'flights',
    sequence: name === 'new' ? 2 : 1,
    writtenAtMs: 1,
    writtenBy: { instance: 'scorer-1', attempt: 'a' },
    partitions: { 0: { nextOffset: 1, base, deltas: [], retired: [] } },
  }
  await store.put(MANIFEST_OBJECT, Buffer.from(manifestRecord.encode(manifest)))
}
