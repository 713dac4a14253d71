import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { z } from 'zod'
import { rulesSchema } from './alert-rules.ts'
import { type Settings, settingsSchema } from './schema.ts'
import { readYamlFile, type Tree } from './yaml-file.ts'

/**
 * Rules of the watchdog from a file of their own, as they stand under `watchdog.rules`; also from a whole file of settings.
 * @throws RULES_INVALID naming every wrong setting
 */
export function loadRules(path: string): Settings['watchdog']['rules'] {
  const file = readRulesFile(path)
  if (!isWhole(file)) return parse(rulesSchema, file, path)
  const unknown = Object.keys(file).filter((name) => !isSection(name))
  if (unknown.length > 0)
    throw new FreshetError(
      'RULES_INVALID',
      `${path}: no such setting: ${unknown.join(', ')}; rules stand under watchdog.rules of a whole file of settings`,
    )
  return parse(settingsSchema.shape.watchdog, file['watchdog'] ?? {}, path, ['watchdog']).rules
}

function readRulesFile(path: string): Tree {
  try {
    return readYamlFile(path)
  } catch (cause) {
    throw isFreshetError(cause) ? new FreshetError('RULES_INVALID', cause.message, { cause }) : cause
  }
}

/** A file of settings need not have a section of the watchdog; no rule is called as a section is. */
function isWhole(file: Tree): boolean {
  return Object.keys(file).some(isSection)
}

function isSection(name: string): boolean {
  return Object.hasOwn(settingsSchema.shape, name)
}

function parse<T>(schema: z.ZodType<T>, value: unknown, path: string, under: readonly string[] = []): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issues = result.error.issues.map(({ path: at, message }) => {
    const place = [...under, ...at].join('.')
    return place === '' ? message : `${place}: ${message}`
  })
  throw new FreshetError('RULES_INVALID', `${path}: ${issues.join('; ')}`)
}
