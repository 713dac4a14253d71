import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadSettings } from '@freshet/config/load.ts'
import { afterEach, expect, test, vi } from 'vitest'
import { keyCommand } from '../commands/key.ts'

afterEach(() => void vi.restoreAllMocks())

/** What `freshet key new` prints. */
async function made(...options: string[]): Promise<string> {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  await keyCommand().parseAsync(['new', ...options], { from: 'user' })
  return write.mock.calls.map(([text]) => text).join('')
}

test('what is printed below the key is a file of settings as it is', async () => {
  const text = await made('--name', 'shop', '--rate', '50')
  const file = join(mkdtempSync(join(tmpdir(), 'freshet-key-')), 'freshet.yaml')
  writeFileSync(file, text.slice(text.indexOf('\ngateway:')))
  expect(loadSettings({ file, env: {} }).gateway.keys).toMatchObject([
    { name: 'shop', requestsPerSecond: 50 },
  ])
})

test('a key of the status page has an entry of its own', async () => {
  const text = await made('--name', 'ada', '--page')
  const file = join(mkdtempSync(join(tmpdir(), 'freshet-key-')), 'freshet.yaml')
  writeFileSync(file, text.slice(text.indexOf('\nwatchdog:')))
  expect(loadSettings({ file, env: {} }).watchdog.pageKeys).toMatchObject([{ name: 'ada' }])
})

test.each([
  ['--rate: a number', ['--name', 'shop', '--rate', 'abc']],
  ['--burst: a whole number', ['--name', 'shop', '--rate', '5', '--burst', '1.5']],
  ['--name: ', ['--name', ' ']],
  ['--name: ', ['--name', 'two\nlines']],
  ['--scopes: ', ['--name', 'shop', '--scopes', 'admin']],
  ['--rate: a key of the status page', ['--name', 'ada', '--page', '--rate', '5']],
  ['--scopes: a key of the status page', ['--name', 'ada', '--page', '--scopes', 'lookup']],
])('a mistake is told by the option: %s', async (start, options) => {
  await expect(made(...options)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringMatching(new RegExp(`^${start}`)),
  })
})
