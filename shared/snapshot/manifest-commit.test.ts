import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { PutCondition } from '@freshet/ports/object-store.ts'
import type { ManifestPartition, SnapshotFile } from '@freshet/records/manifest.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readManifest } from './manifest.ts'
import { type Commit, type Committer, commitManifest } from './manifest-commit.ts'

const signal = new AbortController().signal

test('a first commit makes the manifest, the next one counts on', async () => {
  const committer = committerOn(new MemoryObjectStore())
  const first = await commitManifest(committer, commitOf(0, undefined, at(10)), signal)
  const second = await commitManifest(committer, commitOf(0, at(10), at(20)), signal)
  expect([first.sequence, second.sequence]).toEqual([1, 2])
  expect((await readManifest(committer.store, 'flights'))?.manifest).toEqual(second)
})

test('workers of different partitions all get their commits in, however they race', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(5), { minLength: 2, maxLength: 12 }), async (turns) => {
      const store = new MemoryObjectStore()
      const last = new Map<number, ManifestPartition>()
      const queues = new Map<number, Promise<unknown>>()
      for (const partition of turns) {
        const expected = last.get(partition)
        const next = at((expected?.nextOffset ?? 0) + 10)
        last.set(partition, next)
        const before = queues.get(partition) ?? Promise.resolve()
        const commit = commitOf(partition, expected, next)
        queues.set(
          partition,
          before.then(() => commitManifest(committerOn(store), commit, signal)),
        )
      }
      await Promise.all(queues.values())
      const { manifest } = (await readManifest(store, 'flights'))!
      expect(manifest.partitions).toEqual(Object.fromEntries(last))
      expect(manifest.sequence).toBe(turns.length)
    }),
    { numRuns: 30 },
  )
})

describe('a worker whose partition another has written', () => {
  test('is fenced, and changes nothing', async () => {
    const store = new MemoryObjectStore()
    await commitManifest(committerOn(store), commitOf(0, undefined, at(10)), signal)
    const zombie = commitManifest(committerOn(store), commitOf(0, undefined, at(7)), signal)
    await expect(zombie).rejects.toMatchObject({
      code: 'MANIFEST_FENCED',
      message: 'partition 0: it is at offset 10, and was not known before; the last writer was scorer-1',
    })
    expect((await readManifest(store, 'flights'))?.manifest.partitions[0]).toEqual(at(10))
  })

  test.each([
    ['goes on from where it was', at(10), 'it is at offset 10, not at offset 7'],
    ['merges', { ...at(7), base: file('b') }, 'it is at offset 7 as before, but its files are others'],
  ])('hears what differs when another %s', async (_, others, difference) => {
    const store = new MemoryObjectStore()
    await commitManifest(committerOn(store), commitOf(0, undefined, others), signal)
    const zombie = commitManifest(committerOn(store), commitOf(0, at(7), at(8)), signal)
    await expect(zombie).rejects.toMatchObject({
      message: `partition 0: ${difference}; the last writer was scorer-1`,
    })
  })

  test('hears that the manifest is gone, or knows its partition no more', async () => {
    const store = new MemoryObjectStore()
    const zombie = () => commitManifest(committerOn(store), commitOf(0, at(7), at(8)), signal)
    await expect(zombie()).rejects.toMatchObject({
      code: 'MANIFEST_FENCED',
      message: 'partition 0: the manifest is gone',
    })
    await commitManifest(committerOn(store), commitOf(1, undefined, at(1)), signal)
    await expect(zombie()).rejects.toMatchObject({
      code: 'MANIFEST_FENCED',
      message: 'partition 0: the manifest does not know it any more; the last writer was scorer-1',
    })
  })

  test('is fenced too when the other was faster by a moment', async () => {
    const store = new Meddled(async () => {
      await commitManifest(committerOn(store.inner), commitOf(0, undefined, at(10)), signal)
    })
    const slow = commitManifest(committerOn(store), commitOf(0, undefined, at(7)), signal)
    await expect(slow).rejects.toMatchObject({ code: 'MANIFEST_FENCED' })
  })

  test('loses none or all of its partitions', async () => {
    const store = new MemoryObjectStore()
    await commitManifest(committerOn(store), commitOf(0, undefined, at(10)), signal)
    const changes = new Map([
      [0, { expected: undefined, next: at(5) }],
      [1, { expected: undefined, next: at(5) }],
    ])
    const both = commitManifest(committerOn(store), { changes, attempt: 'z', beganAtMs: Date.now() }, signal)
    await expect(both).rejects.toMatchObject({ code: 'MANIFEST_FENCED' })
    expect(Object.keys((await readManifest(store, 'flights'))!.manifest.partitions)).toEqual(['0'])
  })
})

test('a commit that won although it seemed to fail is found to have won', async () => {
  const inner = new MemoryObjectStore()
  const commit = commitOf(0, undefined, at(10))
  const store = new Deaf(inner)
  await expect(commitManifest(committerOn(store), commit, signal)).rejects.toMatchObject({
    code: 'S3_UNREACHABLE',
  })
  await commitManifest(committerOn(inner), commitOf(1, undefined, at(3)), signal) // another writes on top of it
  const manifest = await commitManifest(committerOn(inner), commit, signal)
  expect([manifest.sequence, manifest.partitions[0]]).toEqual([2, at(10)])
})

test('a worker that slept until its files may be collected as orphans is fenced', async () => {
  const commit = { ...commitOf(0, undefined, at(10)), beganAtMs: Date.now() - 3_600_000 }
  await expect(commitManifest(committerOn(new MemoryObjectStore()), commit, signal)).rejects.toMatchObject({
    code: 'MANIFEST_FENCED',
  })
})

test('the snapshot of another pipeline is not written over', async () => {
  const store = new MemoryObjectStore()
  await commitManifest(committerOn(store), commitOf(0, undefined, at(10)), signal)
  const other = { ...committerOn(store), pipeline: 'other' }
  await expect(commitManifest(other, commitOf(1, undefined, at(1)), signal)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  })
})

/** Someone writes between our read and our put, once. */
class Meddled extends MemoryObjectStore {
  readonly inner = new MemoryObjectStore()
  #meddle: (() => Promise<void>) | undefined

  constructor(meddle: () => Promise<void>) {
    super()
    this.#meddle = meddle
  }

  override get(key: string): ReturnType<MemoryObjectStore['get']> {
    return this.inner.get(key)
  }

  override async put(key: string, body: Uint8Array, condition?: PutCondition): Promise<string> {
    const meddle = this.#meddle
    this.#meddle = undefined
    await meddle?.()
    return this.inner.put(key, body, condition)
  }
}

/** The write arrives, its answer does not. */
class Deaf extends MemoryObjectStore {
  readonly #inner: MemoryObjectStore

  constructor(inner: MemoryObjectStore) {
    super()
    this.#inner = inner
  }

  override async put(key: string, body: Uint8Array, condition?: PutCondition): Promise<string> {
    await this.#inner.put(key, body, condition)
    throw new FreshetError('S3_UNREACHABLE', `put ${key}: no answer`)
  }
}

function committerOn(store: MemoryObjectStore): Committer {
  const clock = { nowMs: Date.now, sleep: async () => {} }
  return { store, pipeline: 'flights', instance: 'scorer-1', clock }
}

let attempts = 0

function commitOf(
  partition: number,
  expected: ManifestPartition | undefined,
  next: ManifestPartition,
): Commit {
  return {
    changes: new Map([[partition, { expected, next }]]),
    attempt: `${attempts++}`,
    beganAtMs: Date.now(),
  }
}

function file(object: string): SnapshotFile {
  return { object, rows: 1, bytes: 1, newestAsOfMs: 1 }
}

function at(nextOffset: number): ManifestPartition {
  return { nextOffset, base: null, deltas: [], retired: [] }
}
