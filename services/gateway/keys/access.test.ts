import { hash } from 'node:crypto'
import { type ApiKey, apiKeySchema } from '@freshet/config/gateway-access.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Access, type Refusal } from './access.ts'

const keyOf = (shown: string, entry: Partial<ApiKey> = {}): ApiKey =>
  apiKeySchema.parse({ name: 'shop', sha256: hash('sha256', shown), ...entry })

/** An Access over keys, at a time that the test tells, and what it has counted. */
function accessWith(keys: readonly ApiKey[], hosts: readonly string[] = []) {
  const refusals: Refusal[] = []
  const now = { ms: 1_000 }
  const access = new Access({ keys, hosts }, { nowMs: () => now.ms, onRefused: (why) => refusals.push(why) })
  const ask = (headers: Record<string, string>, scope: Parameters<Access['admit']>[1] = 'lookup') => {
    try {
      return access.admit(new Headers(headers), scope).name
    } catch (error) {
      if (isFreshetError(error)) return error.code
      throw error
    }
  }
  return { access, ask, now, refusals }
}

describe('with keys', () => {
  test.each([
    [{ authorization: 'Bearer sesame' }, 'shop'],
    [{ authorization: 'bearer  sesame' }, 'shop'],
    [{ 'x-api-key': 'sesame' }, 'shop'],
    [{ 'x-api-key': 'Sesame' }, 'API_KEY_REFUSED'],
    [{ 'x-api-key': '' }, 'API_KEY_REFUSED'],
    [{ 'x-api-key': hash('sha256', 'sesame') }, 'API_KEY_REFUSED'],
    [{ authorization: 'Basic sesame' }, 'API_KEY_REFUSED'],
    [{ authorization: 'Bearer sesame sesame' }, 'API_KEY_REFUSED'],
    [{ cookie: 'x-api-key=sesame' }, 'API_KEY_REFUSED'],
    [{}, 'API_KEY_REFUSED'],
  ])('%o is %s', (headers, outcome) => {
    expect(accessWith([keyOf('sesame')]).ask(headers as Record<string, string>)).toBe(outcome)
  })

  test('two keys of one name are both good: that is how one takes the place of the other', () => {
    const { ask } = accessWith([keyOf('old'), keyOf('new')])
    expect([ask({ 'x-api-key': 'old' }), ask({ 'x-api-key': 'new' })]).toEqual(['shop', 'shop'])
  })

  test('a key is good for its scopes and no others', () => {
    const { access, ask, refusals } = accessWith([keyOf('sesame', { scopes: ['predict', 'rank'] })])
    const headers = { 'x-api-key': 'sesame' }
    expect(ask(headers, 'predict')).toBe('shop')
    expect(ask(headers, null)).toBe('shop')
    expect(ask(headers, 'lookup')).toBe('SCOPE_MISSING')
    expect(access.admit(new Headers(headers), 'rank').may('rank:raw')).toBe(false)
    expect(refusals).toEqual(['scope'])
  })

  test('no key is given raw queries or metrics unless it says so', () => {
    const { ask } = accessWith([keyOf('sesame')])
    expect(ask({ 'x-api-key': 'sesame' }, 'rank:raw')).toBe('SCOPE_MISSING')
    expect(ask({ 'x-api-key': 'sesame' }, 'metrics')).toBe('SCOPE_MISSING')
  })

  test('who asks too often is refused, told when to come again, and let in then; others are not slowed', () => {
    const { access, ask, now, refusals } = accessWith([
      keyOf('busy', { name: 'busy', requestsPerSecond: 2, burst: 3 }),
      keyOf('calm', { name: 'calm', requestsPerSecond: 2 }),
    ])
    const busy = { 'x-api-key': 'busy' }
    expect([1, 2, 3, 4].map(() => ask(busy))).toEqual(['busy', 'busy', 'busy', 'RATE_LIMITED'])
    expect(() => access.admit(new Headers(busy), 'lookup')).toThrow(
      expect.objectContaining({
        headers: { 'retry-after': '1', 'ratelimit-policy': '"key";q=3;w=2', ratelimit: '"key";r=0;t=1' },
      }),
    )
    expect(ask({ 'x-api-key': 'calm' })).toBe('calm')
    now.ms += 1_000
    expect([1, 2, 3].map(() => ask(busy))).toEqual(['busy', 'busy', 'RATE_LIMITED'])
    expect(refusals).toEqual(['rate', 'rate', 'rate'])
  })

  test('what another process let in counts here too, beyond the burst as a debt; nothing is told twice', () => {
    const { access, ask, now } = accessWith([
      keyOf('free'),
      keyOf('busy', { name: 'busy', requestsPerSecond: 2, burst: 4 }),
    ])
    const busy = { 'x-api-key': 'busy' }
    expect(access.takeSpent()).toBeUndefined()
    expect([ask(busy), ask({ 'x-api-key': 'free' })]).toEqual(['busy', 'shop'])
    expect([access.takeSpent(), access.takeSpent()]).toEqual([{ 1: 1 }, undefined])
    access.spendElsewhere({ 0: 50, 1: 5, 7: 1 })
    expect(ask(busy)).toBe('RATE_LIMITED')
    now.ms += 1_000 // pays the debt of two
    expect(ask(busy)).toBe('RATE_LIMITED')
    now.ms += 500
    expect([ask(busy), ask(busy), ask({ 'x-api-key': 'free' })]).toEqual(['busy', 'RATE_LIMITED', 'shop'])
    expect(access.takeSpent()).toEqual({ 1: 1 })
  })

  test('what is refused for its scope costs nothing of the allowance', () => {
    const { ask } = accessWith([keyOf('sesame', { scopes: ['lookup'], requestsPerSecond: 1 })])
    const headers = { 'x-api-key': 'sesame' }
    for (let i = 0; i < 10; i++) expect(ask(headers, 'predict')).toBe('SCOPE_MISSING')
    expect(ask(headers)).toBe('shop')
  })

  test('no refusal says anything of the key that was shown', () => {
    const { access } = accessWith([keyOf('sesame', { scopes: ['lookup'], requestsPerSecond: 1 })])
    expect.assertions(3)
    for (const [key, scope] of [
      ['open-sesam', 'lookup'],
      ['sesame', 'predict'],
      ['sesame', 'lookup'], // let in
      ['sesame', 'lookup'],
    ] as const)
      try {
        access.admit(new Headers({ 'x-api-key': key }), scope)
      } catch (error) {
        expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(key)
      }
  })

  test('whatever is shown, only the key itself is let in', () => {
    const { ask } = accessWith([keyOf('sesame')])
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)) }),
        (shown) => {
          fc.pre(shown !== 'sesame')
          expect(ask({ 'x-api-key': shown })).toBe('API_KEY_REFUSED')
          expect(ask({ authorization: `Bearer ${shown}` })).toBe('API_KEY_REFUSED')
        },
      ),
    )
  })
})

describe('without keys', () => {
  test.each([
    '127.0.0.1:8080',
    '127.0.0.1',
    '127.8.8.8:1',
    'localhost:8080',
    'LocalHost',
    '[::1]:8080',
    '[::ffff:127.0.0.1]',
  ])('who asks for %s on this machine needs none', (host) => {
    expect(accessWith([]).ask({ host })).toBeNull()
  })

  test.each([
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    'localhost.evil.example:8080',
    '10.0.0.1:8080',
    '0.0.0.0:8080',
    '[::]',
    '[::ffff:10.0.0.1]',
    '127.0.0.1:8080, evil.example',
    '2130706433',
    '',
  ])('a page that calls this machine %j is refused', (host) => {
    const { ask, refusals } = accessWith([])
    expect(ask({ host })).toBe('HOST_REFUSED')
    expect(refusals).toEqual(['host'])
  })

  test('a proxy in front may be named', () => {
    const { ask } = accessWith([], ['Scores.internal'])
    expect(ask({ host: 'scores.internal:443' })).toBeNull()
    expect(ask({ host: 'other.internal' })).toBe('HOST_REFUSED')
  })

  test('with keys the name does not matter', () => {
    expect(accessWith([keyOf('sesame')]).ask({ host: 'api.example', 'x-api-key': 'sesame' })).toBe('shop')
  })
})
