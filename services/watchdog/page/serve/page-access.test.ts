import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { PageAccess } from './page-access.ts'

const KEY = 'freshet_secret:with-colon'
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })

test('with keys, whoever shows one comes in: as a password with any name, or as programs do', () => {
  const access = new PageAccess([
    { name: 'other', sha256: hash('sha256', 'other') },
    { name: 'me', sha256: hash('sha256', KEY) },
  ])
  const foreign = { host: 'status.example' }
  expect(access.refusal({ ...foreign, ...basic(`ada:${KEY}`) })).toBeUndefined()
  expect(access.refusal({ ...foreign, ...basic(`:${KEY}`) })).toBeUndefined()
  expect(access.refusal({ ...foreign, authorization: `Bearer ${KEY}` })).toBeUndefined()
  expect(access.refusal({ ...foreign, 'x-api-key': KEY })).toBeUndefined()
  for (const wrong of [
    {},
    basic(`${KEY}:`),
    basic('ada:nothing'),
    { authorization: 'Bearer' },
    { authorization: `Digest ${KEY}` },
    { 'x-api-key': '' },
  ])
    expect(access.refusal({ host: 'localhost', ...wrong })).toBe('key')
})

test.each([
  ['localhost:8081', undefined],
  ['127.0.0.1', undefined],
  ['[::1]:8081', undefined],
  [undefined, undefined],
  ['evil.example:8081', 'host'],
  ['localhost.evil.example', 'host'],
  ['10.0.0.1:8081', 'host'],
])('without keys, the page is this machine’s own: asked for as %s', (host, refusal) => {
  expect(new PageAccess([]).refusal({ host })).toBe(refusal)
})
