import { FreshetError } from '@freshet/errors/errors.ts'
import { savedObjects, toNdjson } from '@freshet/kibana/export/export.ts'
import { importIntoKibana } from '@freshet/kibana/import/import-objects.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { Command } from 'commander'
import { interruptible } from '../interruptible.ts'
import { readInvocation } from '../invocation.ts'

/** What analysts see, brought to their Kibana. */
export function kibanaCommand(): Command {
  return new Command('kibana')
    .description('bring data views, saved sessions and the dashboard to Kibana')
    .addCommand(importCommand())
    .addCommand(
      new Command('export')
        .description('write the same as a file for an import by hand')
        .action(() => void process.stdout.write(toNdjson(savedObjects()))),
    )
}

function importCommand(): Command {
  return new Command('import')
    .description('import them into kibana.url, over what an earlier import brought')
    .action(async (_: unknown, command: Command) => {
      const { settings, json } = readInvocation(command)
      const { url } = settings.kibana
      if (url === undefined)
        throw new FreshetError('CONFIG_INVALID', 'kibana.url: names no Kibana to import into')
      process.exitCode = await interruptible(async (signal) => {
        const imported = await importIntoKibana(
          { ...settings.kibana, url },
          { clock: systemClock, signal, onWait: (why) => void process.stderr.write(`waits: ${why}\n`) },
        )
        process.stdout.write(
          json
            ? `${JSON.stringify(imported)}\n`
            : `Kibana has ${imported.objects} views of Freshet: ${imported.dashboardUrl}\n`,
        )
        return 0
      })
    })
}
