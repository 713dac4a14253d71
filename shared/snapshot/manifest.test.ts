import { Buffer } from 'node:buffer'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import {
  MANIFEST_OBJECT,
  type Manifest,
  manifestRecord,
  type SnapshotFile,
} from '@freshet/records/manifest.ts'
import { expect, test } from 'vitest'
import { readManifest, refuseForeignSnapshot, wereTakenAway } from './manifest.ts'

const { signal } = new AbortController()
const manifest: Manifest = {
  version: 1,
  pipeline: 'flights',
  sequence: 1,
  writtenAtMs: 1,
  writtenBy: { instance: 'scorer-1', attempt: 'a' },
  partitions: {},
}

test('the manifest of another pipeline is refused, and the message says whose it is and where', async () => {
  const store = await storeWith(manifestRecord.encode(manifest))
  const refusal = {
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/memory:.*manifest.json is of pipeline flights, this one is shop/),
  }
  await expect(readManifest(store, 'shop')).rejects.toMatchObject(refusal)
  await expect(refuseForeignSnapshot(store, 'shop', signal)).rejects.toMatchObject(refusal)
  await refuseForeignSnapshot(store, 'flights', signal)
})

test('a service begins although its manifest is damaged or the store is away: who reads it tells of that', async () => {
  await refuseForeignSnapshot(await storeWith('{"version":1'), 'flights', signal)
  const away = new MemoryObjectStore()
  away.get = () => Promise.reject(new FreshetError('S3_UNREACHABLE', 'away'))
  await refuseForeignSnapshot(away, 'flights', signal)
})

test('where there is no manifest there is no snapshot yet', async () => {
  expect(await readManifest(new MemoryObjectStore(), 'flights')).toBeUndefined()
})

test('files that a later manifest still names were not taken away by a merge', () => {
  const file = (object: string) =>
    ({ object, rows: 1, bytes: 1, minKey: '', maxKey: '' }) as unknown as SnapshotFile
  const at = (base: string, ...deltas: string[]) => ({
    ...manifest,
    partitions: { 0: { nextOffset: 1, base: file(base), deltas: deltas.map(file), retired: [] } },
  })
  expect(wereTakenAway(at('a', 'b'), at('a', 'b', 'c'))).toBe(false)
  expect(wereTakenAway(at('a', 'b'), at('ab', 'c'))).toBe(true)
  expect(wereTakenAway(null, at('a'))).toBe(false)
  expect(wereTakenAway(at('a'), null)).toBe(true)
})

async function storeWith(text: string): Promise<MemoryObjectStore> {
  const store = new MemoryObjectStore()
  await store.put(MANIFEST_OBJECT, Buffer.from(text))
  return store
}
