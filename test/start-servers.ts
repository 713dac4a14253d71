/** Servers for tests and benchmarks: those named by FRESHET_* variables, else containers, else native processes. */
import { join } from 'node:path'
import { listSettings } from '@freshet/config/describe.ts'
import { down } from '@freshet/up/down.ts'
import { type NativeProcess, servicesAsSettings } from '@freshet/up/services-file.ts'
import { up } from '@freshet/up/up.ts'
import { startContainers, whyNoContainers } from './containers.ts'

export interface TestServers extends AsyncDisposable {
  /** Those that this call started as processes of this machine, each the leader of its group. */
  readonly processes: readonly NativeProcess[]
}

/**
 * Resolves when all of them answer; their addresses then stand in the environment, where every command and every test
 * looks for them. Disposing stops what was started and removes its data.
 * @param purpose names the folder of native servers, so that two purposes can run at the same time.
 */
export async function startServers(
  purpose: 'test' | 'bench' | 'soak',
  signal: AbortSignal,
): Promise<TestServers> {
  if (process.env.FRESHET_KAFKA_BROKERS !== undefined) {
    report('servers: those named by FRESHET_* variables')
    return { processes: [], [Symbol.asyncDispose]: async () => {} }
  }
  const why = await whyNoContainers()
  if (why !== undefined) return await startNatively(purpose, why, signal)
  report('servers: containers')
  const { settings, stop } = await startContainers()
  intoEnvironment(settings)
  return { processes: [], [Symbol.asyncDispose]: stop }
}

async function startNatively(purpose: string, why: string, signal: AbortSignal): Promise<TestServers> {
  report(`servers: native processes (${why})`)
  const home = join(import.meta.dirname, '..', '.freshet', purpose)
  await down({ home, purge: true, report: () => {} })
  const services = await up({ home, mode: 'native', report, signal })
  intoEnvironment(servicesAsSettings(services))
  return {
    processes: services.processes.filter((server) => server.pid !== undefined),
    [Symbol.asyncDispose]: () => down({ home, purge: true, report }),
  }
}

function intoEnvironment(settings: Record<string, unknown>): void {
  for (const { path, env } of listSettings()) {
    const value = path
      .split('.')
      .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], settings)
    if (value !== undefined) process.env[env] = String(value)
  }
}

function report(line: string): void {
  process.stderr.write(`${line}\n`)
}
