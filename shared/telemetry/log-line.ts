import type { LogRecord } from './log-record.ts'

export type LogFormat = 'json' | 'pretty'

/** One record as one line, without its newline. */
export function formatLine(record: LogRecord, service: string, format: LogFormat): string {
  return format === 'json' ? jsonLine(record, service) : prettyLine(record)
}

function jsonLine({ atMs, level, message, attributes, trace }: LogRecord, service: string): string {
  return JSON.stringify({
    '@timestamp': new Date(atMs).toISOString(),
    level,
    service,
    message,
    ...(trace && { trace_id: trace.traceId, span_id: trace.spanId }),
    ...attributes,
  })
}

/** `10:04:07 WARN  lag is rising  freshet.stage=infer  freshet.rows=42` */
function prettyLine({ atMs, level, message, attributes }: LogRecord): string {
  const time = new Date(atMs).toISOString().slice(11, 19)
  const details = Object.entries(attributes).map(([name, value]) => `  ${name}=${quoteBlanks(value)}`)
  return `${time} ${level.toUpperCase().padEnd(5)} ${oneLine(message)}${details.join('')}`
}

function quoteBlanks(value: string | number | boolean): string {
  const text = String(value)
  return /[\s"]/.test(text) ? JSON.stringify(text) : text
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' ')
}
