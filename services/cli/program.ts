/** `freshet <command>`: reads the command line, runs one command, ends with its exit code. */
import { describeError, isFreshetError } from '@freshet/errors/errors.ts'
import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { flushed } from './flushed.ts'

/** Each is loaded only when it is named, or when help wants all: a service should not carry the demo around. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import('./commands/up.ts')).upCommand(),
  down: async () => (await import('./commands/down.ts')).downCommand(),
  bootstrap: async () => (await import('./commands/bootstrap.ts')).bootstrapCommand(),
  run: async () => (await import('./commands/run.ts')).runCommand(),
  once: async () => (await import('./commands/once.ts')).onceCommand(),
  replay: async () => (await import('./commands/replay.ts')).replayCommand(),
  status: async () => (await import('./commands/status.ts')).statusCommand(),
  alerts: async () => (await import('./commands/alerts.ts')).alertsCommand(),
  verify: async () => (await import('./commands/verify.ts')).verifyCommand(),
  refill: async () => (await import('./commands/refill.ts')).refillCommand(),
  snapshot: async () => (await import('./commands/snapshot.ts')).snapshotCommand(),
  lookup: async () => (await import('./commands/lookup.ts')).lookupCommand(),
  trace: async () => (await import('./commands/trace.ts')).traceCommand(),
  model: async () => (await import('./commands/model.ts')).modelCommand(),
  key: async () => (await import('./commands/key.ts')).keyCommand(),
  kibana: async () => (await import('./commands/kibana.ts')).kibanaCommand(),
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  settings: async () => (await import('./commands/settings.ts')).settingsCommand(),
  demo: async () => (await import('./commands/demo.ts')).demoCommand(),
}

try {
  const program = await makeProgram(process.argv.slice(2))
  await program.parseAsync()
} catch (error) {
  process.exitCode = reportFailure(error)
}
await Promise.all([flushed(process.stdout), flushed(process.stderr)])
// A socket that a client library has left half open must not keep the process alive.
process.exit()

async function makeProgram(words: readonly string[]): Promise<Command> {
  const program = new Command('freshet')
    .description('A fresh model score beside every Elasticsearch document, answered within 100 ms.')
    .option('--config <file>', 'settings file (default: freshet.yaml, when there is one)')
    .option('--json', 'print JSON instead of text')
    .version(packageJson.version)
    .exitOverride()
    .addHelpText('after', '\nEvery setting is also an environment variable: see `freshet settings`.')
  const named = Object.keys(COMMANDS).filter((name) => words.includes(name))
  for (const name of named.length > 0 ? named : Object.keys(COMMANDS))
    program.addCommand(throwing(await COMMANDS[name]!()))
  return program
}

/** What is wrong on the command line is thrown, also in commands of commands, so that all such mistakes end alike. */
function throwing(command: Command): Command {
  command.commands.forEach(throwing)
  return command.exitOverride()
}

/** 2 when the user can mend it; 1 when it is our bug, which alone gets a stack. */
function reportFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  process.stderr.write(`${describeError(error)}\n`)
  if (isFreshetError(error) && error.code !== 'BUG') return 2
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  return 1
}
