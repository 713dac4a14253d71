import { hash } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listSettings } from './describe.ts'
import { loadSettings } from './load.ts'
import { redactSettings, redactUrl } from './redact.ts'

function fileWith(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'freshet-')), 'freshet.yaml')
  writeFileSync(file, text)
  return file
}

describe('settings', () => {
  test('come from the environment, then the file, then the running services, then the defaults', () => {
    const file = fileWith('redis:\n  url: redis://file:1\ngateway:\n  deadlineMs: 70\n')
    const services = { redis: { url: 'redis://services:1' }, elasticsearch: { url: 'http://services:2' } }
    const settings = loadSettings({ file, env: { FRESHET_GATEWAY_DEADLINE_MS: '60' }, services })
    expect(settings.gateway.deadlineMs).toBe(60)
    expect(settings.redis.url).toBe('redis://file:1')
    expect(settings.elasticsearch.url).toBe('http://services:2')
    expect(settings.kafka.brokers).toEqual(['127.0.0.1:9092'])
  })

  test('each have an environment variable of their own', () => {
    const names = listSettings().map((setting) => setting.env)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain('FRESHET_S3_SECRET_ACCESS_KEY')
  })

  test('may be lists, objects, numbers and null in the environment', () => {
    const { elasticsearch, kafka, gateway } = loadSettings({
      env: {
        FRESHET_ELASTICSEARCH_FILTER: '{ term: { status: live } }',
        FRESHET_KAFKA_BROKERS: 'a:1, b:2',
        FRESHET_GATEWAY_DEFAULT: '0.5',
        FRESHET_GATEWAY_KEYS: `[{ name: shop, sha256: ${'ab'.repeat(32)} }]`,
      },
    })
    expect(elasticsearch.filter).toEqual({ term: { status: 'live' } })
    expect(kafka.brokers).toEqual(['a:1', 'b:2'])
    expect(gateway).toMatchObject({ default: 0.5, keys: [{ name: 'shop' }] })
  })

  test('may be a JSON object, which is one setting', () => {
    const filter = { bool: { filter: [{ term: { status: 'open' } }, { exists: { field: 'a.b' } }] } }
    const { elasticsearch } = loadSettings({ env: { FRESHET_ELASTICSEARCH_FILTER: JSON.stringify(filter) } })
    expect(elasticsearch.filter).toEqual(filter)
    expect(listSettings().filter(({ path }) => path.startsWith('elasticsearch.filter'))).toMatchObject([
      { env: 'FRESHET_ELASTICSEARCH_FILTER', type: 'JSON object' },
    ])
    const file = fileWith('elasticsearch:\n  filter:\n    term: { status: open }\n')
    expect(loadSettings({ file, env: {} }).elasticsearch.filter).toEqual({ term: { status: 'open' } })
  })

  test.each(['{"term":', 'open', '[1]', '7'])(
    'that are no JSON object, such as %s, are told what one is',
    (text) => {
      expect(() => loadSettings({ env: { FRESHET_ELASTICSEARCH_FILTER: text } })).toThrow(
        'elasticsearch.filter: a JSON object, such as {"term":{"status":"open"}}',
      )
    },
  )

  test.each([
    ['key', { FRESHET_ELASTICSEARCH_KEY: 'field:a.b', FRESHET_ELASTICSEARCH_EXCLUDE_FIELDS: 'x,a' }],
    ['key', { FRESHET_ELASTICSEARCH_KEY: 'field:a.b', FRESHET_ELASTICSEARCH_EXCLUDE_FIELDS: 'a.*' }],
    ['key', { FRESHET_ELASTICSEARCH_KEY: 'field:a.b', FRESHET_ELASTICSEARCH_INCLUDE_FIELDS: 'a.c,b' }],
    ['versionField', { FRESHET_ELASTICSEARCH_VERSION_FIELD: 'v', FRESHET_ELASTICSEARCH_INCLUDE_FIELDS: 'a' }],
  ])('that keep behind what the %s is made of are refused', (setting, env) => {
    expect(() => loadSettings({ env })).toThrow(`elasticsearch.${setting}: `)
  })

  test('may leave out fields that no key or version is made of', () => {
    const env = {
      FRESHET_ELASTICSEARCH_KEY: 'field:a.b',
      FRESHET_ELASTICSEARCH_VERSION_FIELD: 'meta.version',
    }
    for (const fields of [
      { FRESHET_ELASTICSEARCH_INCLUDE_FIELDS: 'a,m*' },
      { FRESHET_ELASTICSEARCH_INCLUDE_FIELDS: '*.b,meta.version' },
      { FRESHET_ELASTICSEARCH_EXCLUDE_FIELDS: 'a.bc,meta.versions,b,aab' },
    ])
      expect(() => loadSettings({ env: { ...env, ...fields } })).not.toThrow()
  })

  test.each(['SLACK_WEBHOOK_URL', 'ALERTS_WEBHOOK_URL', 'ALERTS_PING_URL'])(
    'FRESHET_%s has no user and no password, which no request could be sent with, and they are not repeated',
    (name) => {
      const load = (url: string) => () => loadSettings({ env: { [`FRESHET_${name}`]: url } })
      expect(load('https://example.com/hook?a=b@c')).not.toThrow()
      expect(load('https://anna:hunter2@example.com/hook')).toThrow(/: an address without user and password/)
      expect(load('https://anna@example.com/hook')).toThrow(/: an address without user and password/)
      expect(load('https://anna:hunter2@example.com/hook')).not.toThrow(/hunter2/)
      expect(load('nowhere')).toThrow(/Invalid URL/)
    },
  )

  test('that are wrong are all named at once, with their bounds', () => {
    const env = { FRESHET_GATEWAY_PORT: '70000', FRESHET_SNAPSHOT_INTERVAL_SECONDS: 'often' }
    expect(() => loadSettings({ env })).toThrow(/gateway\.port.*65535.*|snapshot\.intervalSeconds/)
    expect(() => loadSettings({ env })).toThrow(/snapshot\.intervalSeconds/)
  })

  test.each([
    ['sweep.pauseSeconds', '0', 'a number from 0.1 to 86400'],
    ['gateway.port', '70000', 'a whole number from 0 to 65535'],
    ['gateway.port', '80.5', 'a whole number from 0 to 65535'],
    ['redis.ttlSeconds', '-1', 'a whole number from 0'],
    ['gateway.default', 'none', 'a number or null'],
    ['watchdog.repeatHours', 'long', 'a number from 0.01'],
  ])('that are numbers tell what they must be: %s = %s', (path, value, words) => {
    const { env } = listSettings().find((setting) => setting.path === path)!
    expect(() => loadSettings({ env: { [env]: value } })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: `${path}: ${words}` }),
    )
  })

  test('that are numbers have words of ours for every value that the schema refuses', () => {
    for (const { path, env, range } of listSettings().filter((setting) => setting.range !== undefined))
      for (const value of ['x', '-1e300', '1e300', '[1]'])
        try {
          loadSettings({ env: { [env]: value } })
        } catch (error) {
          expect(String(error)).toContain(`${path}: ${range?.isWhole ? 'a whole number' : 'a number'}`)
        }
  })

  test.each(['..', '../x', 'a/../b', 'a/.', './a', '/a', 'a/'])('s3.prefix is not %s', (prefix) => {
    const env = { FRESHET_S3_PREFIX: prefix }
    expect(() => loadSettings({ env })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('s3.prefix') }),
    )
  })

  test.each(['a', '.a', 'a..b/c.', 'a/b/...'])('s3.prefix may be %s', (prefix) => {
    expect(loadSettings({ env: { FRESHET_S3_PREFIX: prefix } }).s3.prefix).toBe(prefix)
  })

  test('for timestamp mode must name the field', () => {
    const mode = { FRESHET_ELASTICSEARCH_MODE: 'timestamp' }
    expect(() => loadSettings({ env: mode })).toThrow(
      /elasticsearch\.timestampField: .* must name the date field/,
    )
    const env = { ...mode, FRESHET_ELASTICSEARCH_TIMESTAMP_FIELD: 'updatedAt' }
    expect(loadSettings({ env }).elasticsearch.timestampField).toBe('updatedAt')
  })

  test('that do not exist are refused in the environment and in the file', () => {
    expect(() => loadSettings({ env: { FRESHET_REDIS_ULR: 'x' } })).toThrow(
      /no such setting: FRESHET_REDIS_ULR/,
    )
    expect(() => loadSettings({ file: fileWith('reddis: {}\n'), env: {} })).toThrow(/reddis/)
    expect(() => loadSettings({ file: fileWith('- a\n'), env: {} })).toThrow(/settings by name/)
  })

  test('of a file cannot reach the prototype of objects', () => {
    expect(() => loadSettings({ file: fileWith('__proto__:\n  polluted: true\n'), env: {} })).toThrow()
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('open the gateway beyond loopback only with keys', () => {
    const env = { FRESHET_GATEWAY_HOST: '0.0.0.0' }
    expect(() => loadSettings({ env })).toThrow(/gateway\.keys/)
    const keys = `[{ name: shop, sha256: ${'ab'.repeat(32)} }]`
    expect(loadSettings({ env: { ...env, FRESHET_GATEWAY_KEYS: keys } }).gateway.host).toBe('0.0.0.0')
  })

  test('open the status page beyond loopback only with keys', () => {
    const env = { FRESHET_WATCHDOG_PAGE_HOST: '0.0.0.0' }
    expect(() => loadSettings({ env })).toThrow(/watchdog\.pageKeys/)
    const keys = (sha256: string) => ({
      FRESHET_WATCHDOG_PAGE_KEYS: JSON.stringify([{ name: 'me', sha256 }]),
    })
    expect(() => loadSettings({ env: { ...env, ...keys(hash('sha256', '')) } })).toThrow(/hash of nothing/)
    const opened = loadSettings({ env: { ...env, ...keys(hash('sha256', 'x')) } })
    expect(opened.watchdog.pageHost).toBe('0.0.0.0')
    expect(loadSettings({ env: { FRESHET_WATCHDOG_PAGE_PORT: 'null' } }).watchdog.pagePort).toBeNull()
  })

  test.each([
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['localhost', true],
    ['::1', true],
    ['0:0:0:0:0:0:0:1', true],
    ['::ffff:127.0.0.1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['::ffff:10.0.0.1', false],
    ['10.0.0.1', false],
    ['127.1', false],
    ['127.0.0.1.example.com', false],
    ['localhost.example.com', false],
    ['127.0.0.999', false],
  ])('know whether only this machine reaches %s: %s', (host, isAlone) => {
    const load = () => loadSettings({ env: { FRESHET_GATEWAY_HOST: host } })
    if (isAlone) expect(load().gateway.host).toBe(host)
    else expect(load).toThrow(/gateway\.keys must name at least one key/)
  })

  test.each([
    ['the hash of nothing', [{ name: 'shop', sha256: hash('sha256', '') }]],
    ['one key of two holders', ['shop', 'blog'].map((name) => ({ name, sha256: hash('sha256', 'x') }))],
    ['a burst of no rate', [{ name: 'shop', sha256: hash('sha256', 'x'), burst: 5 }]],
    ['a scope that is none', [{ name: 'shop', sha256: hash('sha256', 'x'), scopes: ['admin'] }]],
  ])('refuse as a key of the gateway %s', (_, keys) => {
    const env = { FRESHET_GATEWAY_KEYS: JSON.stringify(keys) }
    expect(() => loadSettings({ env })).toThrow(/gateway\.keys/)
  })

  test.each([
    ['digits without quotes, which YAML reads as a number', '1'.repeat(64)],
    ['one e among digits', `${'1'.repeat(30)}e${'1'.repeat(33)}`],
    ['capital letters', `"${'AB'.repeat(32)}"`],
  ])('say of a hash how it is to be written: %s', (_, sha256) => {
    const env = { FRESHET_GATEWAY_KEYS: `[{ name: shop, sha256: ${sha256} }]` }
    expect(() => loadSettings({ env })).toThrow(
      /gateway\.keys\.0\.sha256: 64 lower-case hex digits, in quotes$/,
    )
  })

  test.each(['', ' ', 'two\nlines', '\u2028', 'bell\u0007'])('refuse a holder called %j', (name) => {
    const env = { FRESHET_GATEWAY_KEYS: JSON.stringify([{ name, sha256: hash('sha256', 'x') }]) }
    expect(() => loadSettings({ env })).toThrow(/gateway\.keys\.0\.name: .*one line/)
  })

  test('want certificate and key together', () => {
    const env = { FRESHET_GATEWAY_TLS_CERT_FILE: '/etc/tls/cert.pem' }
    expect(() => loadSettings({ env })).toThrow(/gateway\.tls.*go together/)
  })
})

describe('secrets', () => {
  test('are replaced where settings are shown', () => {
    const settings = loadSettings({
      env: {
        FRESHET_ELASTICSEARCH_API_KEY: 'hunter2',
        FRESHET_KAFKA_PASSWORD: 'hunter2',
        FRESHET_REDIS_URL: 'redis://:hunter2@127.0.0.1:6379',
      },
    })
    expect(JSON.stringify(redactSettings(settings))).not.toContain('hunter2')
    expect(redactUrl('https://reader:hunter2@host/a:b@c')).toBe('https://reader:***@host/a:b@c')
  })
})

test.each(['ELASTICSEARCH_URL', 'REDIS_URL', 'TELEMETRY_URL', 'KIBANA_URL'])(
  'a password in %s that is not percent-encoded is named as such, and not shown',
  (name) => {
    const protocol = name === 'REDIS_URL' ? 'redis' : 'http'
    const load = (password: string) => () =>
      loadSettings({ env: { [`FRESHET_${name}`]: `${protocol}://me:${password}@127.0.0.1:1` } })
    expect(load('hunter%252')).not.toThrow()
    expect(load('hunter2%')).toThrow(/\.url: user and password are percent-encoded .* %25/)
    expect(load('hunter2%')).not.toThrow(/hunter2/)
  },
)
