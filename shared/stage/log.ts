import type { AttributeName } from './attributes.ts'

/** Structured lines. Attributes are those of the one table; never secrets, never whole documents. */
export interface Log {
  debug(message: string, attributes?: LogAttributes): void
  info(message: string, attributes?: LogAttributes): void
  warn(message: string, attributes?: LogAttributes): void
  /** `error` gives the line its code and hint. */
  error<E>(message: string, error: E & NoAttributes<E>, attributes?: LogAttributes): void
}

/** Attributes in the place of the error would be told as a bug. */
type NoAttributes<E> = E extends LogAttributes ? never : unknown

export type LogAttributes = Readonly<Partial<Record<AttributeName, string | number | boolean>>>
