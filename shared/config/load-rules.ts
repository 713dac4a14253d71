import { FreshetError } from '@freshet/errors/errors.ts'
import { rulesSchema } from './alert-rules.ts'
import type { Settings } from './schema.ts'
import { isTree, readYamlFile } from './yaml-file.ts'

/**
 * Rules of the watchdog from a file of their own, as they stand under `watchdog.rules`; also from a whole file of settings.
 * @throws CONFIG_MISSING, CONFIG_INVALID naming every wrong setting
 */
export function loadRules(path: string): Settings['watchdog']['rules'] {
  const file = readYamlFile(path)
  const watchdog = file['watchdog']
  const result = rulesSchema.safeParse(isTree(watchdog) ? (watchdog['rules'] ?? {}) : file)
  if (result.success) return result.data
  const issues = result.error.issues.map(({ path: at, message }) => `${at.join('.') || path}: ${message}`)
  throw new FreshetError('CONFIG_INVALID', `${path}: ${issues.join('; ')}`)
}
