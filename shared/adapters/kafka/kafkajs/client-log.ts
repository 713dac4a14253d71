import { createRequire } from 'node:module'
import { ATTRIBUTES, type AttributeName } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log, LogAttributes } from '@freshet/stage/log.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import { type logCreator, logLevel } from './kafkajs.ts'

/**
 * Writes kafkajs's lines into our log, one level lower than it thinks of them: what it calls an error it mostly retries
 * by itself, and what it cannot mend reaches us as a rejection or a crash. While brokers are away it says the same
 * several times a second, so a line is repeated at most every 10 s, with the number of those left out. That a group
 * rebalances is no error at all: each of its members is told so in answer to a heartbeat.
 * @returns what makes the log of one client; after `over` nobody needs it any more, and its complaints are of no interest:
 *   it asks on sockets that are closed under it
 */
export function clientLog(log: Log, clock: Pick<Clock, 'nowMs'>): (over?: AbortSignal) => logCreator {
  const lines = new Throttle(10_000, clock)
  return (over) =>
    () =>
    ({ namespace, level, log: { message, timestamp: _, logger: __, ...details } }) => {
      const line = `kafkajs ${namespace || 'client'}: ${message}`
      const leftOut = lines.pass(line)
      if (leftOut === null) return
      const isError = level === logLevel.ERROR && details['error'] !== REBALANCES
      const write = over?.aborted
        ? log.debug
        : isError
          ? log.warn
          : level === logLevel.WARN
            ? log.info
            : log.debug
      const repeated = leftOut > 0 ? { [ATTRIBUTES.linesLeftOut]: leftOut } : {}
      write.call(log, line, { ...attributesOf(details), ...repeated })
    }
}

/** What kafkajs says for error code 27 of the protocol, REBALANCE_IN_PROGRESS: its lines have no code. */
const REBALANCES: string = createRequire(import.meta.url)(
  'kafkajs/src/protocol/error.js',
).createErrorFromCode(27).message

/** kafkajs's own names for details, and the names that OpenTelemetry has for them. Others are left out. */
const NAMES: Readonly<Record<string, AttributeName>> = {
  broker: ATTRIBUTES.serverAddress,
  topic: ATTRIBUTES.messagingDestination,
  partition: ATTRIBUTES.messagingPartition,
  groupId: ATTRIBUTES.messagingGroup,
  error: ATTRIBUTES.exceptionMessage,
  retryCount: ATTRIBUTES.kafkaRetries,
}

function attributesOf(details: Record<string, unknown>): LogAttributes {
  const attributes: Partial<Record<AttributeName, string>> = {}
  for (const [name, value] of Object.entries(details)) {
    const known = NAMES[name]
    if (known !== undefined && value !== undefined && value !== null)
      attributes[known] = value instanceof Error ? value.message : String(value)
  }
  return attributes
}
