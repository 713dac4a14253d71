import { loadSettings } from '@freshet/config/load.ts'
import { expect, test } from 'vitest'
import { elasticsearchRights, excessRights, s3Rights } from './excess-rights.ts'

const settings = loadSettings({ env: process.env })
const soon = () => AbortSignal.timeout(30_000)

test('a key that may list all buckets is told of, with the file that says what is needed', async () => {
  const [told] = await s3Rights(settings.s3, soon())
  expect(told).toMatch(/^S3: this key may also list all buckets of the account; .* infra\/access\/s3$/)
})

test('an Elasticsearch without security says nothing of rights', async () => {
  expect(await elasticsearchRights(settings.elasticsearch, soon())).toEqual([])
})

test('servers on loopback let everybody do everything, which is no news', async () => {
  expect(await excessRights(settings, soon())).toEqual([])
})

test('a server that does not answer is left to the check of it', async () => {
  const away = 'redis://192.0.2.1:6379' // an address that nobody has
  expect(await excessRights({ ...settings, redis: { ...settings.redis, url: away } }, soon())).toEqual([])
})
