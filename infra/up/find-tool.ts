import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { FreshetError } from '@freshet/errors/errors.ts'

/** Path of the first of `names` that PATH has. */
export function findTool(names: readonly string[], env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

/** @throws TOOL_MISSING */
export function findMaven(env: NodeJS.ProcessEnv): string {
  const maven = findTool(['mvn'], env)
  if (maven) return maven
  throw new FreshetError(
    'TOOL_MISSING',
    'Maven (mvn), which fetches the servers, is not on PATH. Debian, Ubuntu: apt install maven · ' +
      'macOS: brew install maven · Fedora: dnf install maven',
  )
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
