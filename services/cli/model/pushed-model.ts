import { FreshetError } from '@freshet/errors/errors.ts'
import type { PushedModel } from '@freshet/model/bundle/bundle-store.ts'
import { isModelLabel } from '@freshet/model/bundle/spec.ts'

/** A model as the command line names it. @throws USAGE for what no pushed model can be called */
export function pushedModel(name: string, version: string): PushedModel {
  const wrong = [name, version].find((word) => !isModelLabel(word))
  if (wrong === undefined) return { name, version }
  throw new FreshetError(
    'USAGE',
    `${JSON.stringify(wrong)} is no name or version of a model: up to 64 letters, digits, ., _ and -`,
  )
}
