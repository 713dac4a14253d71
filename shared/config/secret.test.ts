import { expect, test } from 'vitest'
import { listSettings } from './describe.ts'
import { loadSettings } from './load.ts'
import { redactSettings } from './redact.ts'
import { settingsSchema } from './schema.ts'

/** A line break at the end of an address does no harm: it is left out where an address is read. */
const ADDRESSES = ['slack.webhookUrl', 'alerts.webhook.url', 'alerts.pingUrl']
const secrets = listSettings().filter(
  ({ secret, path, type }) => secret && type === 'string' && !ADDRESSES.includes(path),
)

test.each(secrets)(
  '$path with the line break of its file is refused, without being shown',
  ({ path, env }) => {
    const load = () => loadSettings({ env: { [env]: 'c2VjcmV0OmtleQ==\n' } })
    expect(load).toThrow(new RegExp(`${path.replaceAll('.', '\\.')}.*no line break`))
    expect(load).not.toThrow(/c2VjcmV0/)
  },
)

const nested = (path: string, value: unknown) =>
  path.split('.').reduceRight((inner, name) => ({ [name]: inner }), value)

/** The list of what is never shown is kept by hand. */
test('what is checked as a secret is one', () => {
  const checked = listSettings().filter(({ path }) => {
    const result = settingsSchema.safeParse(nested(path, 'c2VjcmV0\n'))
    return result.error?.message.includes('no line break or other control character')
  })
  expect(checked.map(({ path }) => path)).toEqual(secrets.map(({ path }) => path))
  expect(checked.length).toBeGreaterThan(5)
})

test('a header of the second route with the line break of its file is refused, without being shown', () => {
  const FRESHET_ALERTS_WEBHOOK_HEADERS = JSON.stringify({ authorization: 'Bearer c2VjcmV0\n' })
  const load = () => loadSettings({ env: { FRESHET_ALERTS_WEBHOOK_HEADERS } })
  expect(load).toThrow(/alerts\.webhook\.headers\.authorization.*no line break/)
  expect(load).not.toThrow(/c2VjcmV0/)
})

test.each(ADDRESSES)('a wrong %s is refused, without being shown', (path) => {
  const { env } = listSettings().find((setting) => setting.path === path)!
  const load = () => loadSettings({ env: { [env]: 'hooks.slack.com/services/hunter2' } })
  expect(load).toThrow(path)
  expect(load).not.toThrow(/hunter2/)
})

test('no way to people is shown: whoever has its address can post to it', () => {
  const settings = loadSettings({
    env: {
      FRESHET_SLACK_WEBHOOK_URL: 'https://hooks.slack.example/services/hunter2',
      FRESHET_ALERTS_WEBHOOK_URL: 'https://teams.example/workflows/hunter2?sig=hunter2',
      FRESHET_ALERTS_WEBHOOK_HEADERS: '{"authorization":"Bearer hunter2"}',
      FRESHET_ALERTS_PING_URL: 'https://switch.example/hunter2',
    },
  })
  expect(settings.alerts.webhook.headers).toEqual({ authorization: 'Bearer hunter2' })
  expect(JSON.stringify(redactSettings(settings))).not.toContain('hunter2')
})
