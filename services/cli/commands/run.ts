import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Replaced } from '@freshet/records/heartbeat.ts'
import { Command, Option } from 'commander'
import { endWithin } from '../flushed.ts'
import { readInvocation } from '../invocation.ts'
import { isServiceName, SERVICE_NAMES, SERVICES, type ServiceName } from '../services.ts'
import { supervise, tellSupervisor } from '../supervise.ts'

/** So long the last lines may take. */
const LAST_LINES_MS = 2_000

/** One service runs in this process; several get one each, and are started again when they crash. */
export function runCommand(): Command {
  return new Command('run')
    .description(`run services until stopped: ${SERVICE_NAMES.join(', ')} or all`)
    .argument('<service...>')
    .addOption(new Option('--replaces <json>', 'said by a supervisor').hideHelp().argParser(JSON.parse))
    .action(async (names: string[], { replaces }: { replaces?: Replaced }, command: Command) => {
      const { settings } = readInvocation(command)
      const services = serviceNames(names)
      const [first] = services
      process.exitCode =
        services.length === 1 && first !== undefined
          ? await runOne(first, settings, replaces)
          : await supervise(services, command.optsWithGlobals()['config'])
      endWithin(LAST_LINES_MS)
    })
}

/** What a service needs is loaded only where one runs. */
async function runOne(
  name: ServiceName,
  settings: Settings,
  replaces: Replaced | undefined,
): Promise<number> {
  const { runService } = await import('@freshet/service/run-service.ts')
  const { exitCode, errorCode } = await runService(name, await SERVICES[name](), settings, replaces)
  if (errorCode !== null) await tellSupervisor(errorCode)
  return exitCode
}

function serviceNames(names: readonly string[]): readonly ServiceName[] {
  if (names.includes('all')) return SERVICE_NAMES
  return names.map((name) => {
    if (isServiceName(name)) return name
    throw new FreshetError('USAGE', `no service is called ${name}; there are ${SERVICE_NAMES.join(', ')}`)
  })
}
