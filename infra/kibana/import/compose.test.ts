import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { StandInKibana } from './stand-in-kibana.kit.ts'

const ROOT = new URL('../../../', import.meta.url)

interface Service {
  readonly profiles: readonly string[]
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string | number>>
  readonly depends_on: Readonly<Record<string, object>>
}

test('the compose file brings our views to its Kibana, wherever it runs one with Freshet', async () => {
  const text = readFileSync(new URL('docker-compose.yml', ROOT), 'utf8').replaceAll(
    /\$\{\w+:-([^}]*)\}/g,
    '$1',
  )
  const { services } = parse(text, { merge: true }) as { services: Record<string, Service> }
  const { profiles, command, environment, depends_on } = services['kibana-import']!
  expect(profiles).toEqual(services['poller']!.profiles)
  expect(services['kibana']!.profiles).toEqual(expect.arrayContaining([...profiles]))
  expect(Object.keys(depends_on)).toEqual(['kibana'])
  expect(environment['FRESHET_KIBANA_URL']).toBe('http://kibana:5601')

  await using kibana = await StandInKibana.open()
  const program = new URL('services/cli/freshet.ts', ROOT).pathname
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...command], {
    env: {
      ...Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, `${value}`])),
      PATH: process.env['PATH'],
      FRESHET_KIBANA_URL: kibana.url,
    },
    timeout: 50_000,
  })
  expect(stdout).toBe(
    `Kibana has ${kibana.objects.size} views of Freshet: ${stdout.slice(stdout.indexOf(environment['FRESHET_KIBANA_PUBLIC_URL'] as string))}`,
  )
  expect(kibana.objects.size).toBeGreaterThan(10)
})
