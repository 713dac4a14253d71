import { join } from 'node:path'
import { runDemo } from '@freshet/demo/demo.ts'
import { Command, InvalidArgumentError, Option } from 'commander'
import { homeFolder, interruptSignal } from '../invocation.ts'

/** The main job on real data, in front of your eyes. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('start everything, stream flights into Elasticsearch and watch their scores arrive')
    .option(
      '--docs <count>',
      'stream so many documents, check that none is missing or stale, and end',
      positive,
    )
    .option('--rate <count>', 'writes to Elasticsearch per second', positive, 1_500)
    .addOption(
      new Option('--mode <mode>', 'how to run the servers')
        .choices(['auto', 'docker', 'native'])
        .default('auto'),
    )
    .action(
      async (
        options: { docs?: number; rate: number; mode: 'auto' | 'docker' | 'native' },
        command: Command,
      ) => {
        const { json = false } = command.optsWithGlobals<{ json?: boolean }>()
        process.exitCode = await runDemo({
          ...options,
          json,
          home: join(homeFolder(), 'demo'),
          signal: interruptSignal(),
        })
      },
    )
}

function positive(text: string): number {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 1) throw new InvalidArgumentError('a whole number above 0')
  return count
}
