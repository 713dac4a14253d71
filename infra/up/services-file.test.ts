import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadSettings } from '@freshet/config/load.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeServices } from './servers.ts'
import { readServices, servicesAsSettings, writeServices } from './services-file.ts'

const services = describeServices(
  'docker',
  (['kafka', 'elasticsearch', 'redis', 's3'] as const).map((name, index) => ({
    ...{ name, containerId: name, startedAt: 'now', port: 1_000 + index },
  })),
)
let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'freshet-home-'))
})
afterEach(() => rmSync(home, { recursive: true }))

test('what up writes is what others read, and nobody else’s eyes', () => {
  writeServices(home, services)
  expect(readServices(home)).toEqual(services)
  expect(readdirSync(home)).toEqual(['services.json'])
  expect(statSync(join(home, 'services.json')).mode & 0o777).toBe(0o600)
})

test.each([
  ['no file', undefined],
  ['a file of another version', '{"version":2}'],
  ['half a file', '{"version":1,"mo'],
])('%s means that nothing is up', (_case, text) => {
  if (text !== undefined) writeFileSync(join(home, 'services.json'), text)
  expect(readServices(home)).toBeUndefined()
})

test('Freshet’s settings take the addresses of the running servers, and the environment outranks them', () => {
  const env = { FRESHET_REDIS_URL: 'redis://other:1' }
  const settings = loadSettings({ env, services: servicesAsSettings(services) })
  expect(settings.kafka.brokers).toEqual(['127.0.0.1:1000'])
  expect(settings.elasticsearch.url).toBe('http://127.0.0.1:1001')
  expect(settings.redis.url).toBe('redis://other:1')
  expect(settings.s3).toMatchObject({
    endpoint: 'http://127.0.0.1:1003',
    bucket: 'freshet',
    region: 'us-east-1',
  })
})
