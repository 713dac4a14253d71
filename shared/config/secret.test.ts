import { expect, test } from 'vitest'
import { listSettings } from './describe.ts'
import { loadSettings } from './load.ts'

const secrets = listSettings().filter(({ secret, path }) => secret && path !== 'slack.webhookUrl')

test.each(secrets)(
  '$path with the line break of its file is refused, without being shown',
  ({ path, env }) => {
    const load = () => loadSettings({ env: { [env]: 'c2VjcmV0OmtleQ==\n' } })
    expect(load).toThrow(new RegExp(`${path.replaceAll('.', '\\.')}.*no line break`))
    expect(load).not.toThrow(/c2VjcmV0/)
  },
)
