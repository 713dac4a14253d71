import { hash } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiKeySchema } from '@freshet/config/gateway-access.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { expect, test } from 'vitest'
import { entryAsYaml, newKey } from './new-key.ts'

test('a new key is another one each time, and its entry knows only its hash', () => {
  const made = [1, 2].map(() => newKey({ name: 'shop', scopes: ['lookup'] }))
  expect(made[0]!.key).toMatch(/^freshet_[\w-]{43}$/)
  expect(made[0]!.key).not.toBe(made[1]!.key)
  for (const { key, entry } of made) {
    expect(entry.sha256).toBe(hash('sha256', key))
    expect(JSON.stringify(entry)).not.toContain(key)
  }
})

test.each(['shop', 'yes', 'a: b', '"quoted" # not a comment', '- list', 'ü', '123'])(
  'what is printed for %j is an entry of gateway.keys',
  (name) => {
    const { entry } = newKey({
      name,
      scopes: ['lookup', 'rank:raw'],
      requestsPerSecond: 50,
      burst: undefined,
    })
    const file = join(mkdtempSync(join(tmpdir(), 'freshet-key-')), 'freshet.yaml')
    writeFileSync(file, `gateway:\n  keys:\n${entryAsYaml(entry)}\n`)
    expect(loadSettings({ file, env: {} }).gateway.keys).toEqual([apiKeySchema.parse(entry)])
  },
)
