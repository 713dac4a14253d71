import { FreshetError } from '@freshet/errors/errors.ts'

export function notImportable(message: string, options?: ErrorOptions): FreshetError {
  return new FreshetError('MODEL_NOT_IMPORTABLE', message, options)
}
