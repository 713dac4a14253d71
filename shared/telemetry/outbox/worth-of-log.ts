import { SeverityNumber } from '@opentelemetry/api-logs'
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs'
import type { Worth } from './queue.ts'

export function worthOfLog({ severityNumber = 0 }: Pick<ReadableLogRecord, 'severityNumber'>): Worth {
  return severityNumber < SeverityNumber.WARN ? 'chatter' : 'alarm'
}
