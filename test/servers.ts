/** Gives the integration tests their servers: those named by FRESHET_* variables, else containers, else native processes. */
import { join } from 'node:path'
import { listSettings } from '@freshet/config/describe.ts'
import { down } from '@freshet/up/down.ts'
import { servicesAsSettings } from '@freshet/up/services-file.ts'
import { up } from '@freshet/up/up.ts'
import { startContainers, whyNoContainers } from './containers.ts'

const HOME = join(import.meta.dirname, '..', '.freshet', 'test')
const report = (line: string) => process.stderr.write(`${line}\n`)

/** Vitest calls this once before all integration tests, and what it returns after them. */
export default async function setup(): Promise<() => Promise<void>> {
  if (process.env['FRESHET_KAFKA_BROKERS'] !== undefined) {
    report('test servers: those named by FRESHET_* variables')
    return async () => {}
  }
  const why = await whyNoContainers()
  if (why === undefined) {
    report('test servers: containers')
    const { settings, stop } = await startContainers()
    tellWorkers(settings)
    return stop
  }
  report(`test servers: native processes (${why})`)
  await down({ home: HOME, purge: true, report: () => {} })
  const services = await up({ home: HOME, mode: 'native', report, signal: new AbortController().signal })
  tellWorkers(servicesAsSettings(services))
  return () => down({ home: HOME, purge: true, report })
}

/** Tests read addresses as every command does: from the environment, which the workers inherit. */
function tellWorkers(settings: Record<string, unknown>): void {
  for (const { path, env } of listSettings()) {
    const value = path
      .split('.')
      .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], settings)
    if (value !== undefined) process.env[env] = String(value)
  }
}
