import { Buffer } from 'node:buffer'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { LATEST_OBJECT } from '@freshet/records/latest-snapshot.ts'
import { MANIFEST_OBJECT } from '@freshet/records/manifest.ts'
import { manyRows } from '@freshet/snapshot/rows.kit.ts'
import { beforeAll, expect, test } from 'vitest'
import { MeddledStore } from './meddled-store.kit.ts'
import { PART_BYTES, putFile } from './put-file.ts'
import { endOf, forEver, SnapshotWorld } from './snapshot-world.kit.ts'

const settings = { ...loadSettings({ env: process.env }).s3, bucket: 'freshet-it' }
beforeAll(() => ensureBucket(settings))

test('a file that is put in parts is whole in S3', async () => {
  await using store = openS3({ ...settings, prefix: `parts-${randomUUID()}` })
  const piece = randomBytes(3 * 2 ** 20)
  const pieces = Math.ceil((2.5 * PART_BYTES) / piece.length)
  const bytes = pieces * piece.length
  const parts = new SnapshotWorld([], {}, store).parts()
  await putFile(
    parts,
    'large',
    async (out) => {
      for (let i = 0; i < pieces; i++) await out(piece)
      return { rows: 1, bytes, newestAsOfMs: 0 }
    },
    forEver,
  )
  const read = await store.getRange('large', { from: 0, to: bytes + 1 })
  expect(digest(read)).toBe(digest(Buffer.concat(Array.from({ length: pieces }, () => piece))))
})

test('a file whose writing fails leaves nothing in S3', async () => {
  await using store = openS3({ ...settings, prefix: `failed-${randomUUID()}` })
  const parts = new SnapshotWorld([], {}, store).parts()
  const failing = putFile(
    parts,
    'large',
    async (out) => {
      await out(Buffer.alloc(2 * PART_BYTES))
      throw new Error('the source is broken')
    },
    forEver,
  )
  await expect(failing).rejects.toThrow('the source is broken')
  expect(await store.list('')).toEqual([])
  expect(await store.abortUploads('', Date.now() + 60_000)).toBe(0)
})

/** As after a SIGSTOP: the request is made when the process goes on, long after another has the partition. */
test.each([/\/delta-/, /\/base-/, new RegExp(MANIFEST_OBJECT), new RegExp(LATEST_OBJECT)])(
  'a worker that sleeps before it puts %s finds another’s work when it wakes, and changes nothing',
  async (which) => {
    await using store = openS3({ ...settings, prefix: `zombie-${randomUUID()}` })
    const log = [manyRows(0, 40), manyRows(20, 40), manyRows(30, 100)]
    const world = new SnapshotWorld(log, {}, store)
    const asleep = Promise.withResolvers<void>()
    const sleep = Promise.withResolvers<void>()
    const sleeper = new (class extends MeddledStore {
      override async put(...args: Parameters<MeddledStore['put']>): Promise<string> {
        if (which.test(args[0])) {
          asleep.resolve()
          await sleep.promise
        }
        return super.put(...args)
      }
    })(store, (work) => work())

    const zombie = endOf(world.work(sleeper), ['MANIFEST_FENCED'])
    await asleep.promise
    await world.work()
    sleep.resolve()
    await zombie
    expect(await world.expectWhole()).toBe(log.length)
    await world.expectLatest()
  },
)

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
