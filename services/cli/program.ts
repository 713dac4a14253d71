/** `freshet <command>`: reads the command line, runs one command, ends with its exit code. */
import { describeError, isFreshetError } from '@freshet/errors/errors.ts'
import { Command, CommanderError } from 'commander'
import { bootstrapCommand } from './commands/bootstrap.ts'
import { demoCommand } from './commands/demo.ts'
import { doctorCommand } from './commands/doctor.ts'
import { downCommand } from './commands/down.ts'
import { lookupCommand } from './commands/lookup.ts'
import { modelCommand } from './commands/model.ts'
import { runCommand } from './commands/run.ts'
import { settingsCommand } from './commands/settings.ts'
import { statusCommand } from './commands/status.ts'
import { upCommand } from './commands/up.ts'

const program = new Command('freshet')
  .description('A fresh model score beside every Elasticsearch document, answered within 100 ms.')
  .option('--config <file>', 'settings file (default: freshet.yaml, when there is one)')
  .option('--json', 'print JSON instead of text')
  .version('0.1.0')
  .exitOverride()
  .addHelpText('after', '\nEvery setting is also an environment variable: see `freshet settings`.')

for (const command of [
  upCommand(),
  downCommand(),
  bootstrapCommand(),
  runCommand(),
  statusCommand(),
  lookupCommand(),
  modelCommand(),
  doctorCommand(),
  settingsCommand(),
  demoCommand(),
])
  program.addCommand(command.exitOverride())

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = reportFailure(error)
}
// All is flushed by now; a socket that a client library has left half open must not keep the process alive.
process.exit()

/** 2 when the user can mend it; 1 when it is our bug, which alone gets a stack. */
function reportFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  process.stderr.write(`${describeError(error)}\n`)
  if (isFreshetError(error) && error.code !== 'BUG') return 2
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  return 1
}
