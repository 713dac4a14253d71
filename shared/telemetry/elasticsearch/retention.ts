/**
 * How long telemetry is kept. Data streams have a lifecycle of their own, which the template and `freshet bootstrap` set.
 * Servers without them get plain indices, one a day, and these are deleted whole when their day is long enough ago: by
 * `freshet bootstrap`, and by the watchdog every hour. why: decisions/0024
 */
import type { Client } from '@elastic/elasticsearch'
import { errors } from '@elastic/elasticsearch'
import { translateElasticsearchError } from '@freshet/adapters/elasticsearch/translate.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { errorAttributes } from '@freshet/stage/error-attributes.ts'
import type { Log } from '@freshet/stage/log.ts'
import { type DataStream, dataStream, dataStreamName, SIGNALS } from '../documents/document.ts'
import { hasDataStreams } from './abilities.ts'
import { connectTelemetry } from './connect.ts'

export type Retention = Settings['telemetry']['retention']

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

export function keepDays(type: DataStream['type'], retention: Retention): number {
  return { traces: retention.tracesDays, logs: retention.logsDays, metrics: retention.metricsDays }[type]
}

/** The names of those whose last document is older than their retention allows. Others' indices are never among them. */
export function expiredIndices(
  names: readonly string[],
  { namespace, retention }: Pick<Settings['telemetry'], 'namespace' | 'retention'>,
  nowMs: number,
): string[] {
  return SIGNALS.flatMap((type) => {
    const prefix = `${dataStreamName(dataStream(type, namespace))}-`
    const keptMs = keepDays(type, retention) * DAY_MS
    return names.filter((name) => {
      if (!name.startsWith(prefix)) return false
      const day = /^(\d{4})\.(\d{2})\.(\d{2})$/.exec(name.slice(prefix.length))
      if (day === null) return false
      const endMs = Date.UTC(Number(day[1]), Number(day[2]) - 1, Number(day[3])) + DAY_MS
      return endMs + keptMs <= nowMs
    })
  })
}

/**
 * Deletes the plain indices that are too old.
 * @returns their names
 * @throws ELASTICSEARCH_UNREACHABLE, ELASTICSEARCH_UNAUTHORIZED, ELASTICSEARCH_REFUSED
 */
export async function removeExpired(
  client: Client,
  telemetry: Settings['telemetry'],
  { nowMs, signal }: { readonly nowMs: number; readonly signal?: AbortSignal },
): Promise<string[]> {
  const options = { ...(signal && { signal }) }
  try {
    const pattern = SIGNALS.map((type) => `${dataStreamName(dataStream(type, telemetry.namespace))}-*`)
    const rows = await client.cat.indices({ index: pattern.join(','), h: 'index', format: 'json' }, options)
    const expired = expiredIndices(namesIn(rows), telemetry, nowMs)
    // One at a time and by name: patterns are refused by servers that want names for what destroys.
    for (const index of expired) await client.indices.delete({ index }, { ...options, ignore: [404] })
    return expired
  } catch (error) {
    if (error instanceof errors.ResponseError && error.statusCode === 404) return []
    throw translateElasticsearchError(error, 'removing telemetry that is too old')
  }
}

/** @throws HIT_MALFORMED for what is no list: that is not the same as a list without names */
function namesIn(rows: unknown): string[] {
  if (!Array.isArray(rows)) throw new FreshetError('HIT_MALFORMED', 'the names of indices are no list')
  return rows.map((row) => row?.index).filter((name) => typeof name === 'string')
}

/** Keeps the retention on a server without data streams, every hour until the signal aborts; never throws. */
export async function keepRetention(
  settings: Settings,
  { clock, log, signal }: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  if (!settings.telemetry.enabled) return
  await using telemetry = connectTelemetry(settings)
  let isFailing = false
  while (!signal.aborted) {
    try {
      if (await hasDataStreams(telemetry.client, signal)) return
      const removed = await removeExpired(telemetry.client, settings.telemetry, {
        nowMs: clock.nowMs(),
        signal,
      })
      if (isFailing) log.info('telemetry that is too old is deleted again')
      isFailing = false
      if (removed.length > 0)
        log.info(`telemetry that was kept long enough is deleted: ${removed.join(', ')}`, {
          [ATTRIBUTES.rows]: removed.length,
        })
    } catch (error) {
      if (!signal.aborted && !isFailing)
        log.warn('telemetry that is too old is not deleted; it is tried every hour', errorAttributes(error))
      isFailing = true
    }
    await clock.sleep(HOUR_MS, signal)
  }
}
