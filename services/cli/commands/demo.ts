import { join } from 'node:path'
import type { Settings } from '@freshet/config/schema.ts'
import { runDemo } from '@freshet/demo/demo.ts'
import { GatewayClient } from '@freshet/demo/gateway-client.ts'
import { type PlayOptions, play, prepare } from '@freshet/demo/play.ts'
import { Command, Option } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { interruptSignal } from '../interruptible.ts'
import { homeFolder, readInvocation } from '../invocation.ts'

/** The main job on real data, in front of your eyes. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('start everything, stream flights into Elasticsearch and watch their scores arrive')
    .option(
      '--docs <count>',
      'stream so many documents, check that none is missing or stale, and end',
      wholeNumber({ from: 1 }),
    )
    .option('--rate <count>', 'writes to Elasticsearch per second', wholeNumber({ from: 1 }), 1_500)
    .addOption(
      new Option('--mode <mode>', 'how to run the servers')
        .choices(['auto', 'docker', 'native'])
        .default('auto'),
    )
    .option(
      '--attach <url>',
      'use the configured servers and the services that run, with the gateway at this address',
    )
    .option('--api-key <key>', 'key for that gateway')
    .action(async (options: DemoFlags, command: Command) => {
      const json = command.optsWithGlobals<{ json?: boolean }>().json ?? false
      const report = (line: string) => process.stderr.write(`${line}\n`)
      const playing = { ...options, json, report, signal: interruptSignal() }
      process.exitCode =
        options.attach === undefined
          ? await runDemo({ ...playing, home: join(homeFolder(), 'demo') })
          : await attach(options.attach, playing, readInvocation(command).settings)
    })
}

interface DemoFlags {
  readonly docs?: number
  readonly rate: number
  readonly mode: 'auto' | 'docker' | 'native'
  readonly attach?: string
  readonly apiKey?: string
}

async function attach(url: string, options: PlayOptions & DemoFlags, settings: Settings): Promise<number> {
  await prepare(settings, options.report)
  using gateway = new GatewayClient({ url, apiKey: options.apiKey })
  return await play({ ...options, settings, gateway, slack: undefined })
}
