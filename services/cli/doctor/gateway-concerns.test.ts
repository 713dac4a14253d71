import { hash } from 'node:crypto'
import { loadSettings } from '@freshet/config/load.ts'
import { expect, test } from 'vitest'
import { newKey } from '../key/new-key.ts'
import { gatewayConcerns } from './gateway-concerns.ts'

function concernsOf(env: Record<string, string>) {
  return gatewayConcerns(loadSettings({ env }).gateway)
}
const keyed = (sha256: string) => ({ FRESHET_GATEWAY_KEYS: JSON.stringify([{ name: 'Shop', sha256 }]) })

test.each(['secret', 'changeme', 'Shop', 'shop', 'shop\n', 'secret\n', '$KEY'])(
  'the key %j is called easily guessed',
  (key) => {
    expect(concernsOf(keyed(hash('sha256', key))).errors).toEqual([
      expect.stringMatching(/key of Shop.*key new/),
    ])
  },
)

test('a key that was made is good', () => {
  const { sha256 } = newKey({ name: 'Shop', scopes: ['lookup'] }).entry
  expect(concernsOf(keyed(sha256))).toEqual({ errors: [], warnings: [] })
})

test('plain HTTP for others is worth a thought, TLS and loopback are not', () => {
  const { sha256 } = newKey({ name: 'Shop', scopes: ['lookup'] }).entry
  const open = { ...keyed(sha256), FRESHET_GATEWAY_HOST: '0.0.0.0' }
  expect(concernsOf(open).warnings).toEqual([expect.stringMatching(/plain HTTP/)])
  const tls = { FRESHET_GATEWAY_TLS_CERT_FILE: 'cert.pem', FRESHET_GATEWAY_TLS_KEY_FILE: 'key.pem' }
  expect(concernsOf({ ...open, ...tls }).warnings).toEqual([])
  expect(concernsOf({}).warnings).toEqual([])
})

test('a budget that eats the whole deadline is told', () => {
  expect(concernsOf({ FRESHET_GATEWAY_REDIS_BUDGET_MS: '200' }).warnings).toEqual([
    expect.stringMatching(/200 ms leave nothing of the deadline of 100 ms/),
  ])
})
