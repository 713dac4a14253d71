import { FreshetError } from '@freshet/errors/errors.ts'
import { demoBundle } from '@freshet/model/bundle/bundles.kit.ts'
import { shadowPointerRecord } from '@freshet/model/bundle/shadow-pointer.ts'
import type { PromotedModel } from '@freshet/model/run/promoted-model.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { ModelPages } from './model-page.ts'

const { spec } = await demoBundle()
const current = {
  label: `${spec.name}@${spec.version}`,
  spec,
  identity: { name: spec.name, version: spec.version, generation: 7 },
  promotedAtMs: 1_700_000_000_000,
} as PromotedModel['current']

/** Pages over a store whose every read is this. */
function pagesOver(
  get: () => Promise<unknown>,
  models: Partial<Pick<PromotedModel, 'current' | 'fault'>> = {},
) {
  const reads = { count: 0 }
  const store = {
    get() {
      reads.count++
      return get()
    },
  } as unknown as ObjectStore
  const errors: string[] = []
  const log = { ...quietLog, error: (message: string) => void errors.push(message) }
  const pages = new ModelPages({ current, fault: null, ...models }, store, { log, clock: systemClock })
  const page = (ms: number) =>
    pages.page({ acceptedAtMs: performance.now(), endsAtMs: performance.now() + ms })
  return { page, reads, errors }
}

const nothing = () => Promise.reject(new FreshetError('OBJECT_MISSING', 'no shadow'))
const shadow = async () => ({
  body: Buffer.from(
    shadowPointerRecord.encode({
      version: 1,
      name: 'delay',
      modelVersion: 'next',
      sha256: '0'.repeat(64),
      sinceMs: 1_700_000_000_000,
    }),
  ),
})

test('the page tells of the model as its model.json does, and of no shadow where there is none', async () => {
  expect(await pagesOver(nothing).page(10_000)).toEqual({
    model: `${spec.name}@${spec.version}`,
    name: spec.name,
    version: spec.version,
    sha256: spec.sha256,
    generation: 7,
    promoted_at: '2023-11-14T22:13:20.000Z',
    inputs: spec.inputs,
    outputs: spec.outputs,
    shadow: null,
    degraded: false,
  })
})

test('the shadow is read once for many', async () => {
  const { page, reads } = pagesOver(shadow)
  const all = await Promise.all(Array.from({ length: 20 }, () => page(10_000)))
  await page(10_000)
  expect(all.every((one) => one?.shadow?.model === 'delay@next')).toBe(true)
  expect(reads.count).toBe(1)
})

test('a store that hangs or fails holds up nobody', async () => {
  expect(await pagesOver(() => new Promise(() => {})).page(20)).toMatchObject({ shadow: null })
  const failing = pagesOver(() => Promise.reject(new FreshetError('S3_UNREACHABLE', 'away')))
  expect(await failing.page(10_000)).toMatchObject({ generation: 7, shadow: null })
  expect(failing.errors).toEqual([])
})

test('a shadow that cannot be read is told once, not for each who asks', async () => {
  const { page, errors } = pagesOver(async () => ({ body: Buffer.from('{"version":9}') }))
  for (let i = 0; i < 3; i++) expect(await page(10_000)).toMatchObject({ shadow: null })
  expect(errors).toEqual(['the shadow of the model is not known'])
})

test('without a model there is no page; with another one promoted that does not serve it says so', async () => {
  expect(await pagesOver(nothing, { current: null }).page(10_000)).toBeNull()
  const fault = new FreshetError('MODEL_HASH', 'damaged')
  expect(await pagesOver(nothing, { fault }).page(10_000)).toMatchObject({
    degraded: true,
    reason: 'MODEL_HASH',
  })
})

test.each([
  ['MODEL_HASH', 'MODEL_HASH'],
  ['S3_UNREACHABLE', 'S3_UNREACHABLE'],
  ['DEADLINE', 'S3_UNREACHABLE'],
] as const)(
  'while %s keeps the promoted model from serving that is told, not that there is none',
  async (code, told) => {
    const fault = new FreshetError(code, 's3://secret/models is in the way')
    const asked = pagesOver(nothing, { current: null, fault }).page(10_000)
    await expect(asked).rejects.toMatchObject({ code: told, message: expect.not.stringContaining('secret') })
  },
)

test('where none is promoted there is no page', async () => {
  const fault = new FreshetError('MODEL_MISSING', 'no model is promoted')
  expect(await pagesOver(nothing, { current: null, fault }).page(10_000)).toBeNull()
})
