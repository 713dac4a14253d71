import type { LogAttributes } from '@freshet/stage/log.ts'

/** Numbers of the OpenTelemetry log data model. */
export const SEVERITIES = { debug: 5, info: 9, warn: 13, error: 17 } as const
export type LogLevel = keyof typeof SEVERITIES

/** One line, before it is text or a document. */
export interface LogRecord {
  readonly atMs: number
  readonly level: LogLevel
  readonly message: string
  readonly attributes: LogAttributes
  /** The span in which it was said. */
  readonly trace: { readonly traceId: string; readonly spanId: string } | null
}
