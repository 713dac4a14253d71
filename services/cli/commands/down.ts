import { down } from '@freshet/up/down.ts'
import { Command } from 'commander'
import { homeFolder } from '../invocation.ts'

/** Stops what `freshet up` started, and only that. */
export function downCommand(): Command {
  return new Command('down')
    .description('stop what `freshet up` started here')
    .option('--purge', 'remove their data too')
    .action(async ({ purge = false }: { purge?: boolean }) => {
      await down({ home: homeFolder(), purge, report: (line) => process.stderr.write(`${line}\n`) })
    })
}
