import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadSettings } from '@freshet/config/load.ts'
import { expect, test } from 'vitest'
import { withoutSettings, writeNoSettings } from './own-settings.ts'

test('no setting of whoever starts the demo reaches its services', () => {
  const env = { PATH: '/bin', FRESHET_KAFKA_BROKERS: 'production:9092', FRESHET_CONFIG: 'production.yaml' }
  expect(withoutSettings(env)).toEqual({ PATH: '/bin' })
})

test('the file that stands in for their freshet.yaml sets nothing', () => {
  const file = writeNoSettings(mkdtempSync(join(tmpdir(), 'freshet-demo-')))
  expect(loadSettings({ file, env: {} })).toEqual(loadSettings({ env: {} }))
})
