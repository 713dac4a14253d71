import { toFreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { errorAttributes } from '@freshet/stage/error-attributes.ts'
import type { Log, LogAttributes } from '@freshet/stage/log.ts'
import { isSpanContextValid, trace } from '@opentelemetry/api'
import { formatLine, type LogFormat } from './log-line.ts'
import { type LogLevel, type LogRecord, SEVERITIES } from './log-record.ts'

export interface LoggerOptions {
  /** What is below is neither written nor exported. */
  readonly level: LogLevel
  readonly format: LogFormat
  readonly service: string
  readonly clock: Clock
  /** Where lines go; stderr unless told, so that stdout stays the command's own. */
  readonly write?: (line: string) => void
  /** Gets every record that is written, within the span in which it was said. */
  readonly exportRecord?: (record: LogRecord) => void
}

/** Lines for people or machines, each with the trace in which it was said. */
export class Logger implements Log {
  readonly #options: LoggerOptions

  constructor(options: LoggerOptions) {
    this.#options = options
  }

  debug(message: string, attributes: LogAttributes = {}): void {
    this.#say('debug', message, attributes)
  }

  info(message: string, attributes: LogAttributes = {}): void {
    this.#say('info', message, attributes)
  }

  warn(message: string, attributes: LogAttributes = {}): void {
    this.#say('warn', message, attributes)
  }

  error(message: string, error: unknown, attributes: LogAttributes = {}): void {
    this.#say('error', message, { ...attributes, ...this.#describe(error) })
  }

  /** Code, message and hint; the stack only where someone debugs. */
  #describe(error: unknown): LogAttributes {
    const known = toFreshetError(error)
    const stack = this.#options.level === 'debug' && { [ATTRIBUTES.exceptionStacktrace]: stackOf(known) }
    return {
      ...errorAttributes(known),
      [ATTRIBUTES.hint]: known.hint,
      ...stack,
    }
  }

  #say(level: LogLevel, message: string, attributes: LogAttributes): void {
    const { level: lowest, clock, service, format, write = writeToStderr, exportRecord } = this.#options
    if (SEVERITIES[level] < SEVERITIES[lowest]) return
    const record = { atMs: clock.nowMs(), level, message, attributes, trace: currentTrace() }
    write(formatLine(record, service, format))
    exportRecord?.(record)
  }
}

function currentTrace(): LogRecord['trace'] {
  const active = trace.getActiveSpan()?.spanContext()
  return active && isSpanContextValid(active) ? { traceId: active.traceId, spanId: active.spanId } : null
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack}` : ''
  return `${error.stack}${cause}`
}

function writeToStderr(line: string): void {
  process.stderr.write(`${line}\n`)
}
