import { bootstrap } from '@freshet/up/bootstrap.ts'
import { Command } from 'commander'
import { readInvocation } from '../invocation.ts'

/** Prepares servers that someone else runs. */
export function bootstrapCommand(): Command {
  return new Command('bootstrap')
    .description('create topics, bucket and telemetry templates on the configured servers')
    .action(async (_: unknown, command: Command) => {
      const { settings } = readInvocation(command)
      await bootstrap(settings, (line) => process.stderr.write(`${line}\n`))
    })
}
