import { listSettings, type Setting } from '@freshet/config/describe.ts'
import { redactSettings } from '@freshet/config/redact.ts'
import { Command } from 'commander'
import { readInvocation } from '../invocation.ts'

/** Shows every setting: what it is now, what it means, which environment variable sets it. */
export function settingsCommand(): Command {
  return new Command('settings')
    .description('show every setting with its value, meaning and environment variable')
    .action((_: unknown, command: Command) => {
      const { settings, json } = readInvocation(command)
      const shown = redactSettings(settings)
      if (json) process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`)
      else
        for (const setting of listSettings())
          process.stdout.write(describe(setting, valueAt(shown, setting.path)))
    })
}

function describe({ path, env, help, default: standard }: Setting, value: unknown): string {
  const note = JSON.stringify(value) === JSON.stringify(standard) ? '' : '  (set)'
  return `${path} = ${JSON.stringify(value) ?? '-'}${note}\n    ${help}\n    ${env}\n`
}

function valueAt(tree: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], tree)
}
