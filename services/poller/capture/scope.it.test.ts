import { Buffer } from 'node:buffer'
import { checkScope } from '@freshet/capture/check-scope.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { OneShard } from './one-shard.kit.ts'

async function oneShard(
  elasticsearch: Partial<Settings['elasticsearch']> = {},
  body?: { mappings?: object },
) {
  const shard = await OneShard.open(elasticsearch, body)
  onTestFinished(() => shard[Symbol.asyncDispose]())
  return shard
}

describe('what is in scope', () => {
  test('a document that enters the filter is a change, one that leaves it is a delete', async () => {
    const shard = await oneShard({ key: 'id', filter: { term: { 'status.keyword': 'open' } } })
    await shard.put('a', { status: 'open' })
    await shard.put('b', { status: 'closed' })
    await shard.scan()
    expect(await shard.sources()).toEqual({ a: '{"status":"open"}', b: null })
    await shard.put('a', { status: 'closed' })
    await shard.put('b', { status: 'open' })
    await shard.scan()
    expect(await shard.sources()).toEqual({ a: null, b: '{"status":"open"}' })
  })

  test('a document that is marked as deleted is a delete, until it no longer is', async () => {
    const shard = await oneShard({ key: 'id', softDeleteField: 'gone' })
    await shard.put('a', { n: 1 })
    await shard.put('b', { n: 2, gone: true })
    await shard.scan()
    expect(await shard.sources()).toEqual({ a: '{"n":1}', b: null })
    await shard.put('a', { n: 1, gone: true })
    await shard.put('b', { n: 2, gone: false })
    await shard.scan()
    expect(await shard.sources()).toEqual({ a: null, b: '{"n":2,"gone":false}' })
  })

  test('another filter reads everything again, above what was captured before', async () => {
    const shard = await oneShard({ key: 'id' })
    await shard.put('a', { status: 'open' })
    await shard.put('b', { status: 'closed' })
    const before = await shard.scan()
    shard.reconfigure({ filter: { term: { 'status.keyword': 'open' } } })
    const after = await shard.scan()
    expect(after.cursor.epoch).toBeGreaterThan(before.cursor.epoch)
    expect(after.cursor.seqNo).toBe(1)
    expect(await shard.sources()).toEqual({ a: '{"status":"open"}', b: null })
  })

  test('only some fields travel when the settings say so, and a long above 2^53 among them as it is', async () => {
    const shard = await oneShard({ key: 'id', includeFields: ['n', 'a.*'], excludeFields: ['*.secret'] })
    await shard.put('a', '{"n":9007199254740993,"m":1,"a":{"b":1,"secret":2}}')
    await shard.scan()
    expect(await shard.sources()).toEqual({ a: '{"a":{"b":1},"n":9007199254740993}' })
  })

  test('a filter that an index refuses is one clear error before capture starts', async () => {
    const shard = await oneShard()
    const check = (filter: Record<string, unknown>) =>
      checkScope(shard.client, { ...shard.elasticsearch, filter }, AbortSignal.timeout(30_000))
    await check({ term: { status: 'open' } })
    for (const wrong of [{ nonsense: {} }, {}, { range: { n: { gte: 1, around: 2 } } }])
      await expect(check(wrong)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/^elasticsearch\.filter: refused by Elasticsearch/),
      })
  })
})

describe('the key of a document', () => {
  test('can be a field that is in no mapping, nested or with a dot in its name, text or a long', async () => {
    const shard = await oneShard({ key: 'field:customer.id' }, { mappings: { enabled: false } })
    await shard.put('1', '{"customer":{"id":"Ä\\u00e9/1"}}')
    await shard.put('2', '{"customer.id":"two"}')
    await shard.put('3', '{"customer":{"id":"9223372036854775807"}}')
    await shard.scan()
    expect(Object.keys(await shard.sources()).sort()).toEqual(['9223372036854775807', 'two', 'Äé/1'])
  })

  test('that is missing or no key sets the document aside with its bytes, and the shard goes on', async () => {
    const shard = await oneShard({ key: 'field:customer' })
    await shard.put('keyless', { name: 'x' })
    await shard.put('null', { customer: null })
    await shard.put('good', { customer: 'c' })
    const { cursor } = await shard.scan()
    expect(cursor.seqNo).toBe(2)
    expect(await shard.sources()).toEqual({ c: '{"customer":"c"}' })
    const dead = await shard.dead()
    expect(dead).toMatchObject([
      { key: `${shard.index}/keyless`, value: Buffer.from('{"name":"x"}') },
      { key: `${shard.index}/null`, value: Buffer.from('{"customer":null}') },
    ])
    expect(dead[0]!.letter).toMatchObject({
      code: 'KEY_MISSING',
      message: 'no customer in the document',
      topic: null,
      document: { index: shard.index, id: 'keyless' },
    })
    expect(shard.metrics.values()['freshet.poller.dead']).toBe(2)
  })

  test('that lives in two documents belongs to the higher version, whichever was written last', async () => {
    const shard = await oneShard({ key: 'field:sku', versionField: 'meta.version' })
    await shard.put('new', { sku: 's', meta: { version: 7 } })
    await shard.put('old', { sku: 's', meta: { version: 6 } })
    await shard.put('none', { sku: 's' })
    await shard.scan()
    expect(await shard.sources()).toEqual({ s: '{"sku":"s","meta":{"version":7}}' })
    expect((await shard.kept()).get('s')!.revision).toMatchObject({ documentVersion: 7, seqNo: 0 })
    expect(await shard.dead()).toMatchObject([{ key: 's', letter: { code: 'VERSION_MISSING' } }])
  })
})
