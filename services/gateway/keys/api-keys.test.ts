import { Buffer } from 'node:buffer'
import { hash, timingSafeEqual } from 'node:crypto'
import { apiKeySchema } from '@freshet/config/gateway-access.ts'
import { expect, test, vi } from 'vitest'
import { ApiKeys } from './api-keys.ts'

vi.mock('node:crypto', async (original) => {
  const real = await original<typeof import('node:crypto')>()
  return { ...real, timingSafeEqual: vi.fn(real.timingSafeEqual) }
})

const keys = ['first', 'second', 'third'].map((shown) =>
  apiKeySchema.parse({ name: shown, sha256: hash('sha256', shown) }),
)

test.each([
  ['first', 'first'],
  ['second', 'second'],
  ['third', 'third'],
  ['Third', undefined],
  ['', undefined],
])('whatever is shown is compared once with every key, in constant time: %j', (shown, name) => {
  const compared = vi.mocked(timingSafeEqual)
  compared.mockClear()
  expect(new ApiKeys(keys).holderOf(shown)?.name).toBe(name)
  expect(compared.mock.calls.map((pair) => pair.map(hex).toSorted())).toEqual(
    keys.map(({ sha256 }) => [sha256, hash('sha256', shown)].toSorted()),
  )
})

const hex = (bytes: NodeJS.ArrayBufferView) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
