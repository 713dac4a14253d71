import { resolve } from 'node:path'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { readServices, servicesAsSettings } from '@freshet/up/services-file.ts'
import type { Command } from 'commander'

/** What every command knows: settings, where the backing services are kept, how to print. */
export interface Invocation {
  readonly settings: Settings
  readonly home: string
  readonly json: boolean
}

/** @throws CONFIG_INVALID, CONFIG_MISSING */
export function readInvocation(command: Command): Invocation {
  const { config, json = false } = command.optsWithGlobals<{ config?: string; json?: boolean }>()
  const home = homeFolder()
  const services = readServices(home)
  const settings = loadSettings({
    file: config ?? process.env['FRESHET_CONFIG'],
    env: process.env,
    services: services === undefined ? undefined : servicesAsSettings(services),
  })
  return { settings, home, json }
}

/** For commands that need no settings. */
export function wantsJson(command: Command): boolean {
  return command.optsWithGlobals<{ json?: boolean }>().json ?? false
}

/** Where `freshet up` keeps data and addresses: `.freshet` here, or FRESHET_HOME. */
export function homeFolder(): string {
  return resolve(process.env['FRESHET_HOME'] ?? '.freshet')
}
