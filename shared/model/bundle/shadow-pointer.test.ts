import { expect, test } from 'vitest'
import { fixtureVersion, storeWith } from './bundles.kit.ts'
import { clearShadow, readShadow, setShadow } from './shadow-pointer.ts'

test('a shadow is a pushed model, replaces the one before, and goes', async () => {
  const store = await storeWith('1', '2')
  expect(await readShadow(store)).toBeNull()
  await setShadow(store, fixtureVersion('1'), 10)
  const second = await setShadow(store, fixtureVersion('2'), 20)
  expect(await setShadow(store, fixtureVersion('2'), 30)).toEqual(second)
  expect(await readShadow(store)).toEqual(second)
  await clearShadow(store)
  await clearShadow(store)
  expect(await readShadow(store)).toBeNull()
})

test('a model that was never pushed is no shadow', async () => {
  const store = await storeWith('1')
  await expect(setShadow(store, fixtureVersion('9'), 10)).rejects.toMatchObject({ code: 'MODEL_MISSING' })
  expect(await readShadow(store)).toBeNull()
})
