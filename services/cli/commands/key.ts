import { type ApiKey, apiKeySchema, SCOPES } from '@freshet/config/gateway-access.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { Command } from 'commander'
import { wantsJson } from '../invocation.ts'
import { entryAsYaml, newKey } from '../key/new-key.ts'

/** What sets each part of the entry. */
const OPTION_OF: Readonly<Record<string, string>> = {
  name: '--name',
  scopes: '--scopes',
  requestsPerSecond: '--rate',
  burst: '--burst',
}

interface Options {
  readonly name: string
  readonly scopes: string
  readonly rate?: string
  readonly burst?: string
  readonly page?: boolean
}

/** What an operator does with the keys of the gateway. */
export function keyCommand(): Command {
  return new Command('key')
    .description('make keys of the gateway and the status page')
    .addCommand(newCommand())
}

function newCommand(): Command {
  return new Command('new')
    .description('make a key: it is shown once, and its entry for gateway.keys')
    .requiredOption(
      '--name <holder>',
      'who is to hold it; a key that takes the place of another has its name',
    )
    .option('--scopes <list>', `what it may ask for, of ${SCOPES.join(', ')}`, 'lookup,predict,rank')
    .option('--rate <number>', 'requests a second in the long run (default: as many as it likes)')
    .option('--burst <number>', 'requests at once after a pause (default: those of a second)')
    .option('--page', 'a key for the status page, for watchdog.pageKeys')
    .action((options: Options, command: Command) => {
      const { page = false } = options
      refuseUnused(options, command)
      const made = newKey(entryOf(options))
      const { name, sha256 } = made.entry
      const shown = page ? { ...made, entry: { name, sha256 } } : made
      process.stdout.write(wantsJson(command) ? `${JSON.stringify(shown)}\n` : describe(shown, page))
    })
}

/** What would have no effect is no limit that anybody may count on. */
function refuseUnused({ page = false, rate, burst }: Options, command: Command): void {
  const isGiven = (option: string) => command.getOptionValueSource(option) === 'cli'
  const unused = page ? ['scopes', 'rate', 'burst'].find(isGiven) : undefined
  if (unused !== undefined)
    throw new FreshetError('USAGE', `--${unused}: a key of the status page opens that alone, without a limit`)
  if (burst !== undefined && rate === undefined) throw new FreshetError('USAGE', '--burst needs --rate')
}

/** @throws USAGE that names the option */
function entryOf({ name, scopes, rate, burst }: Options): Omit<ApiKey, 'sha256'> {
  const entry = apiKeySchema.omit({ sha256: true }).safeParse({
    name,
    scopes: scopes.split(',').map((scope) => scope.trim()),
    requestsPerSecond: rate === undefined ? undefined : Number(rate),
    burst: burst === undefined ? undefined : Number(burst),
  })
  if (entry.success) return entry.data
  const { path, message } = entry.error.issues[0]!
  throw new FreshetError('USAGE', `${OPTION_OF[String(path[0])] ?? path.join('.')}: ${message}`)
}

function describe({ key, entry }: ReturnType<typeof newKey> | PageKey, page: boolean): string {
  const [service, setting] = page ? ['watchdog', 'pageKeys'] : ['gateway', 'keys']
  return [
    'The key, for its holder alone. It is not kept anywhere:',
    `    ${key}`,
    `Its entry in freshet.yaml, for the next start of the ${service}:`,
    `${service}:`,
    `  ${setting}:`,
    `${entryAsYaml(entry)}\n`,
  ].join('\n')
}

interface PageKey {
  readonly key: string
  readonly entry: Pick<ApiKey, 'name' | 'sha256'>
}
