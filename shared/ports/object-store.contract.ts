import { Buffer } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import { MIN_PART_BYTES, type ObjectStore } from './object-store.ts'
import type { Skip } from './score-store.contract.ts'

/** What every object store promises. `open` gives one whose keys nobody else uses. */
export function objectStoreContract(
  name: string,
  open: () => Promise<ObjectStore>,
  skip: readonly Skip[] = [],
): void {
  const promise = (what: string, keep: (store: ObjectStore) => Promise<void>): void => {
    const skipped = skip.find((one) => one.promise === what)
    test.skipIf(skipped !== undefined)(skipped ? `${what} (skipped: ${skipped.reason})` : what, async () => {
      await using store = await open()
      await keep(store)
    })
  }

  describe(`${name} as an object store`, () => {
    promise('what was put is what is got, with its etag', async (store) => {
      const etag = await store.put('a/b', Buffer.from([0, 255, 10]))
      expect(await store.get('a/b')).toEqual({ body: Buffer.from([0, 255, 10]), etag })
    })

    promise('an empty object is an object', async (store) => {
      await store.put('empty', Buffer.alloc(0))
      expect((await store.get('empty')).body).toHaveLength(0)
    })

    promise('a missing object is not an empty one', async (store) => {
      await expect(store.get('nothing')).rejects.toMatchObject({ code: 'OBJECT_MISSING' })
      await expect(store.getRange('nothing', { from: 0, to: 1 })).rejects.toMatchObject({
        code: 'OBJECT_MISSING',
      })
    })

    promise('a range is the bytes from its start to before its end', async (store) => {
      await store.put('digits', Buffer.from('0123456789'))
      expect((await store.getRange('digits', { from: 2, to: 5 })).toString()).toBe('234')
      expect((await store.getRange('digits', { from: 8, to: 20 })).toString()).toBe('89')
    })

    promise('put absent: the first wins, the second is told', async (store) => {
      await store.put('once', Buffer.from('first'), 'absent')
      await expect(store.put('once', Buffer.from('second'), 'absent')).rejects.toMatchObject({
        code: 'OBJECT_CHANGED',
      })
      expect((await store.get('once')).body.toString()).toBe('first')
    })

    promise('put over a version: a writer who read an older one is told', async (store) => {
      const first = await store.put('pointer', Buffer.from('1'))
      const second = await store.put('pointer', Buffer.from('2'), { ifMatch: first })
      await expect(store.put('pointer', Buffer.from('late'), { ifMatch: first })).rejects.toMatchObject({
        code: 'OBJECT_CHANGED',
      })
      expect(await store.get('pointer')).toEqual({ body: Buffer.from('2'), etag: second })
    })

    promise('put over a version that is gone is told', async (store) => {
      const etag = await store.put('gone', Buffer.from('1'))
      await store.delete('gone')
      await expect(store.put('gone', Buffer.from('2'), { ifMatch: etag })).rejects.toMatchObject({
        code: 'OBJECT_CHANGED',
      })
    })

    promise('of many writers over one version exactly one wins', async (store) => {
      const etag = await store.put('race', Buffer.from('start'))
      const bodies = ['a', 'b', 'c', 'd'].map((body) => Buffer.from(body))
      const outcomes = await Promise.allSettled(
        bodies.map((body) => store.put('race', body, { ifMatch: etag })),
      )
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      const winner = outcomes.findIndex(({ status }) => status === 'fulfilled')
      expect((await store.get('race')).body).toEqual(bodies[winner])
    })

    promise('an upload is seen when it is completed, whole, whatever was sent twice', async (store) => {
      const first = Buffer.alloc(MIN_PART_BYTES, 'a')
      const upload = await store.beginUpload('large')
      await upload.putPart(1, Buffer.alloc(MIN_PART_BYTES, 'x'))
      await upload.putPart(1, first)
      await upload.putPart(2, Buffer.from('end'))
      await expect(store.get('large')).rejects.toMatchObject({ code: 'OBJECT_MISSING' })
      await upload.complete()
      await upload.complete()
      expect((await store.getRange('large', { from: 0, to: 2 ** 30 })).length).toBe(first.length + 3)
      expect((await store.getRange('large', { from: first.length - 1, to: 2 ** 30 })).toString()).toBe('aend')
    })

    promise('an upload that was given up leaves nothing, and takes no more', async (store) => {
      const upload = await store.beginUpload('given-up')
      await upload.putPart(1, Buffer.from('x'))
      await upload.abort()
      await upload.abort()
      await expect(upload.putPart(2, Buffer.from('x'))).rejects.toMatchObject({ code: 'UPLOAD_GONE' })
      await expect(upload.complete()).rejects.toMatchObject({ code: 'UPLOAD_GONE' })
      await expect(store.get('given-up')).rejects.toMatchObject({ code: 'OBJECT_MISSING' })
    })

    promise('uploads that nobody ended are given up by their age and prefix', async (store) => {
      const upload = await store.beginUpload('left/a')
      await store.beginUpload('other/a')
      await upload.putPart(1, Buffer.from('x'))
      const soonMs = Date.now() + 60_000
      expect(await store.abortUploads('left/', Date.now() - 3_600_000)).toBe(0)
      expect(await store.abortUploads('left/', soonMs)).toBe(1)
      await expect(upload.complete()).rejects.toMatchObject({ code: 'UPLOAD_GONE' })
      expect(await store.abortUploads('', soonMs)).toBe(1)
    })

    promise('a list holds the keys under a prefix, in byte order, with sizes and times', async (store) => {
      for (const key of ['x/b', 'x/a', 'x/a/c', 'y/a']) await store.put(key, Buffer.from(key))
      const listed = await store.list('x/')
      expect(listed.map(({ key, bytes }) => [key, bytes])).toEqual([
        ['x/a', 3],
        ['x/a/c', 5],
        ['x/b', 3],
      ])
      for (const { modifiedAtMs } of listed) expect(modifiedAtMs).toBeGreaterThan(1.6e12)
    })

    promise('a deleted object is gone, and deleting it again is no error', async (store) => {
      await store.put('old', Buffer.from('x'))
      await store.delete('old')
      await store.delete('old')
      await expect(store.get('old')).rejects.toMatchObject({ code: 'OBJECT_MISSING' })
    })

    promise('an aborted call does nothing', async (store) => {
      const aborted = AbortSignal.abort()
      await expect(store.put('no', Buffer.from('x'), undefined, aborted)).rejects.toMatchObject({
        code: 'DEADLINE',
      })
      await expect(store.get('no')).rejects.toMatchObject({ code: 'OBJECT_MISSING' })
    })
  })
}
