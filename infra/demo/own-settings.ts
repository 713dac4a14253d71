import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * A file of settings that holds none, in the place of a freshet.yaml of whoever starts the demo: that names their servers,
 * and the demo would promote its model there.
 */
export function writeNoSettings(home: string): string {
  const file = join(home, 'run', 'demo.yaml')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '{}\n')
  return file
}

/** The environment without what would set anything in Freshet. */
export function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('FRESHET_')))
}
